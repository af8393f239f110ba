package io.pensieve.replication;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which snapshots count, and what a member shows that was loaded from one. */
class SnapshotsTest {
  private final SimulatedLog log = new SimulatedLog();
  private final Path folder;

  private SimulatedMember member;

  SnapshotsTest(@TempDir Path folder) {
    this.folder = folder;
    member = member(null, folder, log);
  }

  private static SimulatedMember member(
      SimulatedMember.@Nullable Saved saved, Path folder, SimulatedLog log) {
    return new SimulatedMember(0, log, folder, saved, 100, InstantSource.system(), () -> 0);
  }

  private void work() {
    member.pack();
    while (member.proposals() > 0) {
      member.takeProposal(0, true, false);
    }
    commit();
  }

  private void commit() {
    while (!log.tail.isEmpty()) {
      log.commit();
    }
    while (member.hasMore()) {
      member.applyNext();
    }
  }

  private void lead() {
    log.elect(0, log.tail.size());
    commit();
    work();
    assertTrue(member.log.isLeading());
  }

  private Snapshots.Draft draft() throws IOException {
    return requireNonNull(member.snapshots().write(folder.resolve("draft")));
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void whatWasUndoneSinceTheWalkDoesNotCount() throws IOException {
    lead();
    member.map.putAsync("a", "committed");
    work();
    member.map.putAsync("a", "lost");
    Snapshots.Draft draft = draft();
    member.follow();
    assertFalse(member.snapshots().handToEngine(draft));
    assertEquals(List.of(), files());
    assertEquals("committed", member.map.get("a"));
  }

  @Test
  void aMapThatIsUndoneDuringTheWalkGivesNoSnapshot() throws IOException {
    lead();
    member.map.putAsync("a", "b");
    work();
    Progress progress = member.log.progress();
    progress.beginUpheaval();
    assertNull(member.snapshots().write(folder.resolve("in the middle")));
    progress.endUpheaval();
    Snapshots.Draft draft = draft();
    progress.beginUpheaval();
    progress.endUpheaval();
    assertFalse(member.snapshots().handToEngine(draft));
    assertTrue(member.snapshots().handToEngine(draft()));
  }

  @Test
  void aMapIsNotReadableBeforeItHasAllThatItsSnapshotHasInPart() throws IOException {
    lead();
    member.map.putAsync("a", "1");
    work();
    member.map.putAsync("a", "2");
    Snapshots.Draft draft = draft(); // has the second put, and claims the place of the first
    work();
    assertTrue(member.snapshots().handToEngine(draft));
    member = member(member.saved, folder, log);
    assertFalse(member.log.isReadable());
    assertNull(member.snapshots().write(folder.resolve("not yet")));
    while (member.hasMore()) {
      member.applyNext();
    }
    assertTrue(member.log.isReadable());
    assertEquals("2", member.map.get("a"));
  }

  @Test
  void theBytesSinceTheLastOneAreCounted() throws IOException {
    assertFalse(member.snapshots().isDue());
    lead();
    member.map.putAsync("a", "b");
    work();
    assertFalse(member.snapshots().isDue());
    assertTrue(member.snapshots().bytesSince() > 0);
    assertTrue(member.snapshots().save());
    assertEquals(0, member.snapshots().bytesSince());
    assertEquals(1, member.snapshots().saves());
  }
}
