package io.pensieve.log.file;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.StreamingCodec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Large values reach the log in pieces: no array of their length is made for it. */
@Timeout(300)
class StreamingCodecTest {
  private static final int MIB = 1 << 20;
  private static final int PIECE = FrameEncoder.PiecewiseOutput.PIECE_BYTES;
  private static final int FIRST = FrameEncoder.PiecewiseOutput.FIRST_BYTES_MAX;

  private final Path folder;

  StreamingCodecTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private <V> Pensieve<String, V> open(Codec<V> codec) {
    return Pensieve.open(folder.resolve("log"), Codec.utf8(), codec);
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  // ---- What a put allocates

  @SuppressWarnings("ArrayRecordComponent") // a record may have one
  record Page(String title, byte[] body) {}

  /** Writes ones, as many as the value says, and knows that only at the end. */
  private static final class Ones implements StreamingCodec<Integer> {
    @Override
    public void encode(Integer value, Output into) throws IOException {
      for (int i = 0; i < value; i++) {
        into.write(1);
        if (i == 2 * MIB) {
          throw new IOException("enough");
        }
      }
    }

    @Override
    public Integer decode(byte[] bytes) {
      return bytes.length;
    }
  }

  /** A codec, and a value of a MiB for it. */
  record Large<T>(Codec<T> codec, T value) {
    @Override
    public String toString() {
      return codec.name();
    }
  }

  static Stream<Large<?>> large() {
    byte[] body = bytes(MIB);
    return Stream.of(
        new Large<>(Codec.bytes(), body),
        new Large<>(Codec.utf8(), "a".repeat(MIB)),
        new Large<>(Codec.utf8(), "\u20ac".repeat(MIB / 3)),
        new Large<>(Codec.record(Page.class), new Page("a page", body)),
        new Large<>(Codec.list(Codec.bytes()), List.of(body)),
        new Large<>(Codec.optional(Codec.list(Codec.bytes())), Optional.of(List.of(body))),
        new Large<>(new Ones(), MIB));
  }

  @ParameterizedTest
  @MethodSource("large")
  <T> void aPutOfALargeValueAllocatesNoCopyOfIt(Large<T> large)
      throws ReflectiveOperationException {
    try (Pensieve<String, T> map = open(large.codec())) {
      long least = Long.MAX_VALUE;
      for (int i = 0; i < 20; i++) {
        long before = AllocatedBytes.ofThisThread();
        map.put("large", large.value());
        least = Math.min(least, AllocatedBytes.ofThisThread() - before);
      }
      assertTrue(least < 16 << 10, "a put has allocated " + least + " bytes");
    }
  }

  /** As batches and compactions need it. */
  @Test
  void anArrayOfALargeEncodingIsAllocatedOnce() throws ReflectiveOperationException {
    Codec<Optional<Page>> codec = Codec.optional(Codec.record(Page.class));
    Optional<Page> page = Optional.of(new Page("a page", bytes(MIB)));
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 20; i++) {
      long before = AllocatedBytes.ofThisThread();
      int length = codec.encode(page).length;
      least = Math.min(least, AllocatedBytes.ofThisThread() - before - length);
    }
    assertTrue(least < 16 << 10, "besides the array, " + least + " bytes");
  }

  // ---- What is in the log

  @Test
  void valuesOfAnyLengthComeBack() {
    Codec<List<Page>> codec = Codec.list(Codec.record(Page.class));
    Map<String, List<Page>> expected = new TreeMap<>();
    try (Pensieve<String, List<Page>> map = open(codec)) {
      for (int edge : List.of(0, 256, 1024, FIRST, FIRST + PIECE, FIRST + 2 * PIECE, 2 * MIB)) {
        for (int off = -60; off < 60; off++) {
          int length = Math.max(0, edge + off);
          String text = "\u00e9".repeat(Math.min(length, 3 * PIECE) / 2);
          List<Page> pages =
              edge == 2 * MIB && off % 20 != 0
                  ? List.of(new Page("", bytes(off + 60)), new Page(text, bytes(1)))
                  : List.of(new Page("t", bytes(length)));
          map.put(edge + " " + off, pages);
          expected.put(edge + " " + off, pages);
        }
      }
    }
    try (Pensieve<String, List<Page>> map = open(codec)) {
      assertEquals(expected.size(), map.size());
      expected.forEach(
          (key, pages) ->
              assertArrayEquals(codec.encode(pages), codec.encode(requireNonNull(map.get(key)))));
    }
  }

  @Test
  void aStringHasTheSameBytesInPieces() {
    Random random = new Random(1);
    List<String> texts = new ArrayList<>();
    for (int length : List.of(0, 1, 4095, 4096, 4097, 9000)) {
      for (int bits : List.of(7, 8, 11, 16, 20)) {
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
          int codePoint = random.nextInt(1 << bits);
          text.appendCodePoint(
              Character.getType(codePoint) == Character.SURROGATE ? 'x' : codePoint);
        }
        texts.add(text.toString());
      }
    }
    Codec<List<String>> list = Codec.list(Codec.utf8());
    assertEquals(texts, list.decode(list.encode(texts)));
    try (Pensieve<String, String> map = open(Codec.utf8())) {
      for (int i = 0; i < texts.size(); i++) {
        map.put("text " + i, texts.get(i));
      }
    }
    try (Pensieve<String, byte[]> raw =
        Pensieve.open(folder.resolve("log"), Codec.utf8(), new Raw())) {
      for (int i = 0; i < texts.size(); i++) {
        assertArrayEquals(
            texts.get(i).getBytes(StandardCharsets.UTF_8), raw.get("text " + i), "text " + i);
      }
      assertEquals(texts.size(), raw.size());
    }
  }

  /** Arrays, whatever a log says. */
  private record Raw() implements Codec<byte[]> {
    @Override
    public byte[] encode(byte[] value) {
      return value;
    }

    @Override
    public byte[] decode(byte[] bytes) {
      return bytes;
    }

    @Override
    public String name() {
      return "";
    }
  }

  // ---- What a codec may do wrong

  @Test
  void aCodecThatThrowsHalfwayChangesNothing() {
    try (Pensieve<String, Integer> map = open(new Ones())) {
      map.put("a", 100_000);
      assertThrows(IllegalArgumentException.class, () -> map.put("a", 3 * MIB));
      assertThrows(IllegalArgumentException.class, () -> map.put("b", 3 * MIB));
      assertEquals(Map.of("a", 100_000), Map.copyOf(map));
      map.put("b", 5);
    }
    try (Pensieve<String, Integer> map = open(new Ones())) {
      assertEquals(Map.of("a", 100_000, "b", 5), Map.copyOf(map));
    }
    try (Pensieve<String, String> map =
        Pensieve.<String, String>builder()
            .log(FileLog.at(folder.resolve("texts"), Codec.utf8(), Codec.utf8()))
            .open()) {
      String unpaired = "\u00e9".repeat(MIB) + "\uD83D";
      assertThrows(IllegalArgumentException.class, () -> map.put("a", unpaired));
      String tooLong = "a".repeat(5 * MIB);
      String message =
          requireNonNull(
              assertThrows(IllegalArgumentException.class, () -> map.put("a", tooLong))
                  .getMessage());
      assertTrue(message.contains(String.valueOf(5 * MIB + 1)), message);
      assertEquals(Map.of(), Map.copyOf(map));
    }
  }

  @Test
  void nobodyWritesToAValueThatHasBeenEncoded() {
    List<StreamingCodec.Output> kept = new ArrayList<>();
    StreamingCodec<String> keeps =
        new StreamingCodec<>() {
          @Override
          public void encode(String value, Output into) {
            kept.add(into);
            into.writeValue(Codec.utf8(), value);
          }

          @Override
          public String decode(byte[] bytes) {
            return Codec.utf8().decode(bytes);
          }
        };
    try (Pensieve<String, String> map = open(keeps)) {
      map.put("a", "b");
      assertThrows(IllegalStateException.class, () -> kept.get(0).write(0));
      assertThrows(IllegalStateException.class, () -> kept.get(0).write(new byte[3]));
      assertEquals("b", map.get("a"));
    }
  }

  @Test
  void aCodecMayAppendToAnotherLogMeanwhile() {
    Path otherFolder = folder.resolve("titles");
    try (Pensieve<String, Page> titles =
        Pensieve.open(otherFolder, Codec.utf8(), Codec.record(Page.class))) {
      StreamingCodec<Page> indexes =
          new StreamingCodec<>() {
            @Override
            public void encode(Page page, Output into) {
              into.write(page.body());
              titles.put(page.title(), new Page(page.title(), bytes(page.body().length / 2)));
              into.write(page.body());
            }

            @Override
            public Page decode(byte[] bytes) {
              return new Page("", bytes);
            }

            @Override
            public String name() {
              return "";
            }
          };
      try (Pensieve<String, Page> map = open(indexes)) {
        for (int length : List.of(10, 5_000, 100_000, 10)) {
          map.put("page " + length, new Page("title " + length, bytes(length)));
        }
      }
      try (Pensieve<String, Page> map = open(indexes)) {
        for (int length : List.of(10, 5_000, 100_000)) {
          byte[] twice = Arrays.copyOf(bytes(length), 2 * length);
          System.arraycopy(bytes(length), 0, twice, length, length);
          assertArrayEquals(twice, requireNonNull(map.get("page " + length)).body());
          Page title = requireNonNull(titles.get("title " + length));
          assertArrayEquals(bytes(length / 2), title.body());
        }
      }
    }
  }

  @Test
  void aListThatChangesWhileItIsEncodedIsRefused() {
    for (int size : List.of(0, 2)) {
      List<String> changing =
          new AbstractList<>() {
            @Override
            public String get(int index) {
              return "a";
            }

            @Override
            public int size() {
              return size;
            }

            @Override
            public Iterator<String> iterator() {
              return List.of("a").iterator();
            }
          };
      assertThrows(IllegalArgumentException.class, () -> Codec.list(Codec.utf8()).encode(changing));
    }
  }
}
