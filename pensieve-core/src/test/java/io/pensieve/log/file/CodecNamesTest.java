package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log is never read with codecs that mean something else by the same bytes. */
class CodecNamesTest {
  private static final Path FILE = Path.of("file.log");

  private final Path parent;

  CodecNamesTest(@TempDir Path parent) {
    this.parent = parent;
  }

  /** Longs as {@link Codec#int64}, the other way round. */
  private static class BigEndian implements Codec<Long> {
    @Override
    public byte[] encode(Long value) {
      return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
    }

    @Override
    public Long decode(byte[] bytes) {
      return ByteBuffer.wrap(bytes).getLong();
    }
  }

  private static Pensieve<String, Long> open(Path folder, Codec<Long> values) {
    return Pensieve.<String, Long>builder()
        .maximumEntries(10)
        .log(FileLog.at(folder, Codec.utf8(), values))
        .open();
  }

  private static void assertRefused(Path folder) {
    LogException.WrongCodec refused =
        assertThrows(LogException.WrongCodec.class, () -> open(folder, new BigEndian()));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.contains("values were written with the codec \"int64\""), message);
    assertTrue(message.contains(BigEndian.class.getName()), message);
    try (Pensieve<String, Long> map = open(folder, Codec.int64())) {
      assertEquals(1, map.get("a"));
    }
  }

  @Test
  void aLogIsRefusedWithACodecOfAnotherName() {
    Path folder = parent.resolve("log");
    FileLog<String, Long> log = FileLog.at(folder, Codec.utf8(), Codec.int64());
    try (Pensieve<String, Long> map =
        Pensieve.<String, Long>builder().maximumEntries(10).log(log).open()) {
      map.put("a", 1L);
      map.backup(parent.resolve("backup"));
      log.compact();
    }
    assertRefused(folder);
    assertRefused(parent.resolve("backup"));
    OfflineLog.salvage(folder, parent.resolve("salvaged"));
    assertRefused(parent.resolve("salvaged"));
  }

  @Test
  void aCodecThatTakesTheNameReadsTheLog() {
    Path folder = parent.resolve("log");
    try (Pensieve<String, Long> map = open(folder, Codec.int64())) {
      map.put("a", 1L);
    }
    Codec<Long> renamed =
        new BigEndian() {
          @Override
          public String name() {
            return "int64";
          }
        };
    try (Pensieve<String, Long> map = open(folder, renamed)) {
      assertEquals(1L << 56, map.get("a"));
    }
    try (Pensieve<String, Long> map = open(folder, new BigEndian() {})) {
      assertEquals(1L << 56, map.get("a"), "an anonymous class has no name of its own");
    }
    // What a codec without a name has written says nothing; what others have written still does.
    assertThrows(LogException.WrongCodec.class, () -> open(folder, new BigEndian()));
  }

  @Test
  void classesHaveNamesThatStay() {
    assertEquals(BigEndian.class.getName(), new BigEndian().name());
    assertEquals("", new BigEndian() {}.name());
    assertEquals("utf8", Codec.utf8().name());
    assertEquals("bytes", Codec.bytes().name());
    Codec<Long> tooLong =
        new BigEndian() {
          @Override
          public String name() {
            return "x".repeat(1001);
          }
        };
    assertThrows(IllegalArgumentException.class, () -> open(parent.resolve("log"), tooLong));
  }

  @Test
  void namesAreReadAndWrittenByteForByte() throws IOException {
    byte[] golden;
    try (InputStream bytes = CodecNamesTest.class.getResourceAsStream("/golden/v1/named.header")) {
      assertTrue(bytes != null);
      golden = bytes.readAllBytes();
    }
    byte[] header = FileHeader.segment(0, 0, 0x5a17).encode();
    CodecNames names = new CodecNames("utf8", "caf\u00e9");
    assertEquals(names, CodecNames.read(golden, FILE));
    assertArrayEquals(golden, names.in(header.clone()));
    assertArrayEquals(header, CodecNames.NONE.in(header.clone()), "as ever");
    assertEquals(CodecNames.NONE, CodecNames.read(header, FILE));
    assertEquals(
        FileHeader.decode(header, FILE, FileHeader.SEGMENT),
        FileHeader.decode(golden, FILE, FileHeader.SEGMENT),
        "older versions read it");
  }

  @Test
  void damagedNamesAreRefused() {
    byte[] page = new CodecNames("utf8", "int64").in(new byte[FileHeader.BYTES]);
    int end = 104 + "utf8int64".length();
    for (int bit = 88 * 8; bit < end * 8; bit++) {
      byte[] damaged = Arrays.copyOf(page, page.length);
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      if (bit / 8 < 100 || bit / 8 >= 104) {
        assertThrows(LogException.Corrupt.class, () -> CodecNames.read(damaged, FILE));
      }
    }
  }
}
