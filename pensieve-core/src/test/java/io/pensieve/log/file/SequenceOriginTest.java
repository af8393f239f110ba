package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No sequence means two changes, whatever becomes of a folder. */
class SequenceOriginTest {
  private static final int PUTS = 3000; // faster than the numbers of the time of day go by

  private final Path parent;

  SequenceOriginTest(@TempDir Path parent) {
    this.parent = parent;
  }

  private Path folder() {
    return parent.resolve("log");
  }

  private FileLog<String, String> open() {
    FileLog<String, String> log = FileLog.at(folder(), Codec.utf8(), Codec.utf8());
    log.replay(Replayed.inAnyOrder());
    return log;
  }

  /** A life of the log, and the sequences that it gave. */
  private List<Long> live(int puts) {
    List<Long> sequences = new ArrayList<>();
    try (FileLog<String, String> log = open()) {
      for (int i = 0; i < puts; i++) {
        sequences.add(log.append(new Change.Put<>("k", "v".repeat(1000))));
      }
    }
    return sequences;
  }

  private void delete(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  private void copy(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    try (var files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  private static void assertForgotten(FileLog<String, String> log, List<Long> sequences) {
    for (long sequence : sequences) {
      assertThrows(LogException.HistoryTruncated.class, () -> log.changes(sequence).close());
    }
  }

  @Test
  void aNewFolderGivesNoNumberThatAnEarlierOneGave() throws IOException {
    List<Long> earlier = live(PUTS);
    delete(folder());
    List<Long> later = live(PUTS);
    assertTrue(Collections.disjoint(earlier, later));
    try (FileLog<String, String> log = open()) {
      assertForgotten(log, earlier.subList(PUTS - 10, PUTS));
    }
  }

  @Test
  void aCopyThatIsRestoredGivesNoNumberThatTheLogGaveMeanwhile() throws Exception {
    List<Long> common = live(10);
    copy(folder(), parent.resolve("copy"));
    for (int restored = 0; restored < 2; restored++) {
      List<Long> lost = live(PUTS);
      delete(folder());
      copy(parent.resolve("copy"), folder());
      List<Long> later = live(PUTS);
      assertTrue(Collections.disjoint(lost, later));
      try (FileLog<String, String> log = open()) {
        assertForgotten(log, lost.subList(PUTS - 10, PUTS));
        try (ChangeStream<String, String> stream = log.changes(common.get(9))) {
          assertEquals(later.get(0), stream.next(Duration.ofMinutes(1)).get(0).sequence());
        }
      }
    }
  }

  @Test
  void whereAStreamHasComeIsKnownAfterLivesWithoutAChange() throws Exception {
    List<Long> sequences = live(2);
    long place;
    try (FileLog<String, String> log = open();
        ChangeStream<String, String> stream = log.changes()) {
      place = stream.sequence();
      assertEquals(sequences.get(1), place);
      assertThrows(LogException.HistoryTruncated.class, () -> log.changes(place + 8));
    }
    for (int life = 0; life < 3; life++) {
      assertEquals(List.of(), live(0));
      assertEquals(2, new LogDirectory(new FileDisk(), folder()).segments().size());
    }
    try (FileLog<String, String> log = open();
        ChangeStream<String, String> resumed = log.changes(place)) {
      assertEquals(List.of(), resumed.next(Duration.ZERO));
      assertEquals(place, resumed.sequence());
      Change<String, String> put = new Change.Put<>("k", "v");
      assertEquals(
          List.of(new Sequenced<>(log.append(put), put)), resumed.next(Duration.ofMinutes(1)));
    }
  }

  private static long after(long end, String time) {
    return SequenceOrigin.ofTime(InstantSource.fixed(Instant.parse(time)), new Random(1))
        .after(end);
  }

  @Test
  void positionsFollowTheHistoryAndTheTimeOfDay() {
    long now = after(0, "2026-11-28T00:00:00Z");
    assertTrue(now < after(0, "2026-11-28T00:00:00.002Z"));
    assertEquals(now, after(0, "2026-11-28T00:00:00Z"), "by the same chance");
    assertTrue(now % Format.FRAME_ALIGNMENT == 0);
    long ahead = 1L << 50;
    assertTrue(after(ahead, "2026-11-28T00:00:00Z") >= ahead + SequenceOrigin.POSITIONS_SKIPPED);
    assertTrue(after(0, "1970-01-01T00:00:00Z") > 0);
    assertTrue(after(0, "2076-01-01T00:00:00Z") < after(0, "2077-01-01T00:00:00Z"));
    assertTrue(after(0, "9999-01-01T00:00:00Z") < 1L << 53, "a clock that is far off");
  }
}
