package io.pensieve.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.RaftStatus.SavedSnapshot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a member says of its newest snapshot. */
final class NewestSnapshotTest {
  private final NewestSnapshot newest = new NewestSnapshot();
  private final Path file;

  NewestSnapshotTest(@TempDir Path folder) throws Exception {
    file = Files.write(folder.resolve("snapshot"), new byte[42]);
  }

  private SavedSnapshot loaded(Instant written) throws Exception {
    Files.setLastModifiedTime(file, FileTime.from(written));
    newest.loaded(7, file);
    return newest.get().orElseThrow();
  }

  @Test
  void oneOfAnEarlierProcessIsAsOldAsItsFile() throws Exception {
    assertEquals(Optional.empty(), newest.get());
    SavedSnapshot found = loaded(Instant.now().minus(Duration.ofHours(3)));
    assertEquals(7, found.index());
    assertEquals(42, found.bytes());
    assertTrue(found.age().compareTo(Duration.ofHours(3)) >= 0, found::toString);
    newest.saved(8, 43);
    assertEquals(8, newest.get().orElseThrow().index());
    assertTrue(newest.get().orElseThrow().age().compareTo(Duration.ofHours(3)) < 0);
  }

  @Test
  void oneThatWasWrittenByAClockAheadIsNew() throws Exception {
    assertTrue(!loaded(Instant.now().plus(Duration.ofHours(3))).age().isNegative());
  }
}
