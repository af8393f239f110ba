package io.pensieve.replication.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.format.SavedRequest.SavedChange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotFileTest {
  private static final SnapshotHeader HEADER =
      new SnapshotHeader(new LogPosition(3, 17), 2, 1L << 25);

  private final Path folder;

  SnapshotFileTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private static LiveEntry<String, String> entry(int i) {
    long expiryMillis = i % 2 == 0 ? Change.NEVER : 1_000 + i;
    return new LiveEntry<>(new Change.Put<>("key " + i, "value ".repeat(i % 50), expiryMillis), i);
  }

  private Path write(int entries) throws IOException {
    Path file = folder.resolve("a snapshot of " + entries);
    try (var out = new SnapshotWriter<>(file, HEADER, Codec.utf8(), Codec.utf8())) {
      for (int i = 0; i < entries; i++) {
        out.entry(entry(i));
      }
      out.request(request());
      assertEquals(out.finish(99), Files.size(file));
    }
    return file;
  }

  private static SavedRequest<String> request() {
    return new SavedRequest<>(
        "a request",
        5,
        List.of(new SavedChange<>(7, true, false, "v"), new SavedChange<>(8, false, true, null)));
  }

  private static List<LiveEntry<String, String>> read(Path file) throws IOException {
    List<LiveEntry<String, String>> entries = new ArrayList<>();
    try (var in = new SnapshotReader<>(file, Codec.utf8(), Codec.utf8())) {
      assertEquals(HEADER, in.header());
      in.entries().forEachRemaining(entries::add);
      assertEquals(new SnapshotHeader.End(entries.size(), 1, 99), in.end());
      assertEquals(List.of(request()), in.requests());
    }
    return entries;
  }

  @Test
  void whatWasWrittenIsRead() throws IOException {
    for (int entries : new int[] {0, 1, 5_000}) {
      Path file = write(entries);
      List<LiveEntry<String, String>> read = read(file);
      assertEquals(entries, read.size());
      for (int i = 0; i < entries; i++) {
        assertEquals(entry(i), read.get(i));
      }
      assertEquals(new SnapshotHeader.End(entries, 1, 99), SnapshotReader.verify(file));
    }
  }

  @Test
  void eachFlippedBitAndEachCutIsFound() throws IOException {
    byte[] whole = Files.readAllBytes(write(5));
    Path damaged = folder.resolve("damaged");
    for (int i = 0; i < whole.length; i++) {
      byte[] flipped = whole.clone();
      flipped[i] ^= (byte) (1 << i % 8);
      Files.write(damaged, flipped);
      assertThrows(LogException.Corrupt.class, () -> SnapshotReader.verify(damaged));
      assertThrows(LogException.Corrupt.class, () -> read(damaged), "flipped at " + i);
      Files.write(damaged, Arrays.copyOf(whole, i));
      LogException.Corrupt cut =
          assertThrows(LogException.Corrupt.class, () -> read(damaged), "cut at " + i);
      assertTrue(String.valueOf(cut.getMessage()).contains("replace"), cut.toString());
    }
  }

  @Test
  void anotherCodecIsRefused() throws IOException {
    Path file = write(1);
    assertThrows(
        LogException.WrongCodec.class,
        () -> new SnapshotReader<>(file, Codec.utf8(), Codec.bytes()).close());
  }

  @Test
  void anEntryIsReadAsItWasWritten() {
    EntryEncoder<String, String> encoder = new EntryEncoder<>(Codec.utf8(), Codec.utf8());
    List<String> read = new ArrayList<>();
    Request request = new Request("id", 5, List.of(new Request.Effect(true, false)));
    byte[] entry =
        EntryEncoder.changes(
            3,
            10,
            3,
            List.of(
                encoder.item(new Change.Put<>("a", "b")),
                encoder.item(request),
                encoder.item(new Change.Put<>("c", "d", 77)),
                encoder.item(new Change.Remove<>("a")),
                encoder.item(new Change.Touch<>("c"))));
    assertEquals(new EntryHeader(false, 3, 0, 10, 3), EntryHeader.read(entry));
    new EntryDecoder<>(Codec.utf8(), Codec.utf8())
        .decode(
            entry,
            new EntryDecoder.Items<String, String>() {
              @Override
              public void change(long sequence, Change<String, String> change) {
                read.add(sequence + " " + change);
              }

              @Override
              public void touch(String key) {
                read.add("touch " + key);
              }

              @Override
              public void request(Request request) {
                read.add(request.toString());
              }
            });
    assertEquals(
        List.of(
            "11 " + new Change.Put<>("a", "b"),
            request.toString(),
            "12 " + new Change.Put<>("c", "d", 77),
            "13 " + new Change.Remove<>("a"),
            "touch c"),
        read);
    EntryHeader begin = new EntryHeader(true, 4, -5, 0, 0);
    assertEquals(begin, EntryHeader.read(EntryEncoder.begin(4, -5)));
    assertThrows(MalformedException.class, () -> EntryHeader.read(new byte[] {2, 1, 0}));
  }
}
