package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.ConsensusStatus.Role;
import io.pensieve.replication.ratis.TestCluster.Node;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Members that end and start again, from their logs and snapshots. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MemberRestartTest {
  private final TestCluster cluster;

  MemberRestartTest(@TempDir Path folder) throws IOException {
    cluster =
        TestCluster.ofThree(
            folder, settings -> settings.segmentBytes(16 << 10).retainedBytes(8 << 10));
  }

  @AfterAll
  void close() {
    cluster.close();
  }

  @AfterEach
  void allMembersHaveAppliedWhatWasAcknowledged() throws InterruptedException {
    cluster.assertAcknowledgedApplied();
  }

  @Test
  void aClusterStartsAgainFromItsLog() throws Exception {
    cluster.putNext("one");
    cluster.putNext("two");
    cluster.stopAll();
    cluster.startAll();
    cluster.putNext("three");
  }

  @Test
  void anotherMemberLeadsAfterTheLeaderIsGone() throws Exception {
    cluster.putNext("one");
    String first = cluster.leaderId();
    Node old = cluster.leader();
    cluster.stop(first);
    List<String> events = old.events();
    assertEquals(List.of("lead", "follow"), events.subList(events.size() - 2, events.size()));
    assertThrows(ExecutionException.class, () -> old.put("nowhere"));
    assertEquals(Role.OUTSIDE, old.status().role());

    Node next = cluster.leader();
    assertEquals(cluster.entries, next.applied(), "it leads after it applied what was committed");
    cluster.putNext("two");
    cluster.restart(first);
  }

  @Test
  void aMemberStartsFromItsSnapshotAndTheLogAfterIt() throws Exception {
    cluster.putNext("one");
    cluster.awaitApplied();
    for (Node node : cluster.nodes.values()) {
      node.snapshot();
    }
    cluster.putNext("two");
    cluster.awaitApplied();
    cluster.stopAll();
    cluster.startAll();
    for (Node node : cluster.nodes.values()) {
      assertEquals("restore", node.events().get(0));
    }
  }

  @Test
  void aMemberThatIsFarBehindGetsASnapshot() throws Exception {
    cluster.putNext("one");
    String behind = cluster.leaderId().equals("c") ? "b" : "c";
    cluster.stop(behind);
    long index = cluster.leader().status().committed();
    for (int i = 0; i < 60; i++) {
      cluster.putNext(i + "x".repeat(1000));
    }
    for (Node node : cluster.nodes.values()) {
      node.barrier();
      node.snapshot();
      TestCluster.await("the log to be forgotten", () -> node.consensus.firstIndex() > index);
    }
    cluster.restart(behind);
    cluster.awaitApplied();
    List<String> events = cluster.node(behind).events();
    assertTrue(events.contains("restore"), events::toString);
    cluster.putNext("last");
    cluster.awaitApplied();
    cluster.stop(behind);
    assertEquals("restore", cluster.restart(behind).events().get(0));
  }

  @Test
  void aMachineThatThrowsEndsItsMember() throws Exception {
    cluster.putNext("one");
    String id = cluster.leaderId().equals("a") ? "b" : "a";
    Node node = cluster.node(id);
    node.poison = "poison";
    cluster.put("poison");
    cluster.entries.add("poison");
    Throwable cause = node.failure.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertEquals("poison", cause.getMessage());
    TestCluster.await("it to be outside", () -> node.status().role() == Role.OUTSIDE);
    cluster.stop(id);
    cluster.restart(id);
  }
}
