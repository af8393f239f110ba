package io.pensieve.server.backup;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.file.FileLog;
import io.pensieve.log.file.OfflineLog;
import io.pensieve.server.tools.BackupRestorer;
import io.pensieve.server.tools.LogEntryCounter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A log as a tar archive: whole or refused. */
final class BackupArchiveTest {
  private static final int KEYS = 20;

  private final Path folder;
  private byte[] archive = {};

  BackupArchiveTest(@TempDir Path folder) {
    this.folder = folder;
  }

  // A base, a segment with what came after it, and the segment that closes the copy.
  @BeforeEach
  void backUp() throws IOException {
    try (FileLog<String, String> log =
            FileLog.at(folder.resolve("log"), Codec.utf8(), Codec.utf8());
        Pensieve<String, String> map = Pensieve.<String, String>builder().log(log).open()) {
      for (int key = 0; key < KEYS; key++) {
        map.put("key" + key, "value" + key);
      }
      map.backup(folder.resolve("copy"));
    }
    archive = read(folder.resolve("copy"));
  }

  private static byte[] read(Path copy) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (BackupArchive from = BackupArchive.of(copy)) {
      ByteBuffer piece = ByteBuffer.allocate(700); // ends within headers, files and zeros
      for (from.read(piece); piece.position() > 0; from.read(piece.clear())) {
        bytes.write(piece.array(), 0, piece.position());
      }
      assertEquals(from.length(), bytes.size());
    }
    return bytes.toByteArray();
  }

  private int restore(byte[] bytes) throws IOException {
    return BackupRestorer.restore(new ByteArrayInputStream(bytes), folder.resolve("restored"));
  }

  private List<String> restoredFiles() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("restored"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aBackupIsALogAgain() throws IOException {
    assertEquals(KEYS, restore(archive));
    assertTrue(restoredFiles().stream().allMatch(BackupArchive.NAME.asMatchPredicate()));
    FileLog<String, String> log =
        FileLog.at(folder.resolve("restored"), Codec.utf8(), Codec.utf8());
    try (Pensieve<String, String> map = Pensieve.<String, String>builder().log(log).open()) {
      assertEquals(KEYS, map.size());
      assertEquals("key0", map.coldestFirst().iterator().next().getKey());
    }
  }

  @Test
  void anyTarUnpacksIt() throws Exception {
    Path file = Files.write(folder.resolve("backup.tar"), archive);
    Path unpacked = Files.createDirectory(folder.resolve("unpacked"));
    Process tar;
    try {
      tar =
          new ProcessBuilder("tar", "xf", file.toString(), "-C", unpacked.toString())
              .inheritIO()
              .start();
    } catch (IOException noTar) {
      return; // the other tests read the same format
    }
    assertEquals(0, tar.waitFor());
    try (Stream<Path> copied = Files.list(folder.resolve("copy"))) {
      for (Path each : copied.toList()) {
        if (BackupArchive.NAME.matcher(each.getFileName().toString()).matches()) {
          assertEquals(-1, Files.mismatch(each, unpacked.resolve(each.getFileName())));
        }
      }
    }
  }

  @Test
  void noBeginningOfABackupPassesForAll() throws IOException {
    int end = archive.length - BackupArchive.END_BYTES;
    for (int length = 0; length < archive.length; length += length < end ? 1021 : 97) {
      byte[] beginning = Arrays.copyOf(archive, length);
      IOException refused = assertThrows(IOException.class, () -> restore(beginning));
      assertTrue(requireNonNull(refused.getMessage()).contains("cut off"), refused::getMessage);
      assertFalse(Files.exists(folder.resolve("restored")));
    }
  }

  /**
   * Who unpacks by hand a beginning, with a tar that takes what there is, gets no log: in whichever
   * order the files come, since another tar may have packed them.
   */
  @Test
  void aBeginningThatIsUnpackedByHandDoesNotOpen() throws IOException {
    assertNoBeginningOpens();
    reverseMembers();
    assertNoBeginningOpens();
    // Several segments, each of which was closed, and no base.
    for (int opening = 0; opening < 3; opening++) {
      try (Pensieve<String, String> map = open(folder.resolve("reopened"))) {
        map.put("key" + opening, "value" + opening);
      }
    }
    archive = read(folder.resolve("reopened"));
    assertNoBeginningOpens();
    reverseMembers();
    assertNoBeginningOpens();
    assertEquals(3, restore(archive));
  }

  private void reverseMembers() {
    byte[] reversed = new byte[archive.length];
    int end = archive.length - BackupArchive.END_BYTES;
    for (int at = 0, free = end; at < end; at = endOfMember(at)) {
      int bytes = endOfMember(at) - at;
      free -= bytes;
      System.arraycopy(archive, at, reversed, free, bytes);
    }
    archive = reversed;
  }

  private static Pensieve<String, String> open(Path log) {
    return Pensieve.<String, String>builder()
        .log(FileLog.at(log, Codec.utf8(), Codec.utf8()))
        .open();
  }

  private void assertNoBeginningOpens() throws IOException {
    int whole = archive.length - BackupArchive.END_BYTES;
    for (int length : cuts()) {
      Path unpacked = Files.createDirectory(folder.resolve("by-hand"));
      int at = 0;
      while (at + TarHeader.BLOCK_BYTES <= length) {
        TarHeader header = headerAt(at);
        int from = at + TarHeader.BLOCK_BYTES;
        int to = (int) Math.min(length, from + header.bytes());
        Files.write(unpacked.resolve(header.name()), Arrays.copyOfRange(archive, from, to));
        at = endOfMember(at);
      }
      boolean isAll = at >= whole && length >= whole - TarHeader.BLOCK_BYTES;
      if (!isAll) {
        int cut = length;
        assertThrows(
            LogException.class,
            () -> OfflineLog.read(unpacked, new LogEntryCounter()),
            () -> "cut at " + cut + " of " + whole);
      }
      BackupExtractor.delete(unpacked);
    }
  }

  /** Where a beginning ends: between files above all, where each that is there is whole. */
  private List<Integer> cuts() {
    int whole = archive.length - BackupArchive.END_BYTES;
    List<Integer> cuts = new ArrayList<>();
    for (int length = TarHeader.BLOCK_BYTES; length < whole; length += 1021) {
      cuts.add(length);
    }
    for (int at = 0; at < whole; at = endOfMember(at)) {
      cuts.add(Math.max(at, TarHeader.BLOCK_BYTES));
    }
    return cuts;
  }

  private int endOfMember(int at) {
    long bytes = headerAt(at).bytes();
    return (int) (at + TarHeader.BLOCK_BYTES + bytes + TarHeader.padding(bytes));
  }

  private TarHeader headerAt(int at) {
    return TarHeader.decode(Arrays.copyOfRange(archive, at, at + TarHeader.BLOCK_BYTES))
        .orElseThrow();
  }

  @Test
  void aFlippedBitIsRefusedOrMeansNothing() throws IOException {
    int refusals = 0;
    for (int at = 0; at < archive.length; at += 331) {
      byte[] flipped = archive.clone();
      flipped[at] ^= 4;
      try {
        int unused = restore(flipped);
      } catch (IOException | LogException refused) {
        refusals++;
        assertFalse(Files.exists(folder.resolve("restored")));
        continue;
      }
      // It was in zeros that fill a page or a block.
      assertEquals(expected(), restored(), "flipped at " + at);
      BackupExtractor.delete(folder.resolve("restored"));
    }
    assertTrue(refusals > 5, "refused: " + refusals);
  }

  private static Map<String, String> expected() {
    Map<String, String> expected = new TreeMap<>();
    for (int key = 0; key < KEYS; key++) {
      expected.put("key" + key, "value" + key);
    }
    return expected;
  }

  private Map<String, String> restored() {
    Map<String, String> entries = new TreeMap<>();
    OfflineLog.read(
        folder.resolve("restored"),
        new ReplayHandler<byte[], byte[]>() {
          @Override
          public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {
            entries.put(new String(put.key(), UTF_8), new String(put.value(), UTF_8));
          }

          @Override
          public void change(long sequence, Change<byte[], byte[]> change) {
            if (change instanceof Change.Put<byte[], byte[]> put) {
              entry(put, sequence, sequence);
            }
          }

          @Override
          public void progress(long bytesRead, long bytesTotal) {}
        });
    return entries;
  }

  @ParameterizedTest
  @ValueSource(strings = {"../0000000000000000.log", "LOCK", "/etc/passwd", "x.log", "unfinished"})
  void onlyFilesOfALogAreUnpacked(String name) {
    byte[] bytes = new byte[3 * TarHeader.BLOCK_BYTES];
    System.arraycopy(new TarHeader(name, 0, 0).encode(), 0, bytes, 0, TarHeader.BLOCK_BYTES);
    IOException refused = assertThrows(IOException.class, () -> restore(bytes));
    assertTrue(requireNonNull(refused.getMessage()).startsWith("no backup"), refused::getMessage);
    assertFalse(Files.exists(folder.resolve("restored")));
  }

  @Test
  void whatIsNoArchiveOrMoreThanOneIsRefused() {
    byte[] twice = Arrays.copyOf(archive, 2 * archive.length);
    System.arraycopy(archive, 0, twice, archive.length, archive.length);
    for (byte[] bytes :
        List.of(new byte[0], "hello".repeat(1000).getBytes(UTF_8), new byte[1024], twice)) {
      assertThrows(IOException.class, () -> restore(bytes));
      assertFalse(Files.exists(folder.resolve("restored")));
    }
  }

  @Test
  void aFolderThatHoldsAnythingIsLeftAsItIs() throws IOException {
    Path restored = Files.createDirectory(folder.resolve("restored"));
    Path mine = Files.writeString(restored.resolve("mine"), "x");
    IOException refused = assertThrows(IOException.class, () -> restore(archive));
    assertTrue(requireNonNull(refused.getMessage()).contains("is not empty"), refused::getMessage);
    assertEquals(List.of("mine"), restoredFiles());
    Files.delete(mine);
    Files.createDirectory(restored.resolve("lost+found")); // of a new volume
    Path left = Files.createDirectory(restored.resolve("restore.tmp")); // of a restore that died
    Files.writeString(left.resolve("0000000000000000.log"), "half");
    assertEquals(KEYS, restore(archive));
    assertFalse(Files.exists(left));
  }

  @Test
  void sizesOfAllMagnitudesAreKept() {
    for (long bytes : new long[] {0, 1, 512, (1L << 33) - 1, 1L << 33, 1L << 50}) {
      TarHeader header = new TarHeader("0000000000000000.base", bytes, 1_700_000_000);
      byte[] block = header.encode();
      assertEquals(header, TarHeader.decode(block).orElseThrow());
      assertArrayEquals(block, header.encode());
      assertEquals(0, (bytes + TarHeader.padding(bytes)) % TarHeader.BLOCK_BYTES);
    }
  }
}
