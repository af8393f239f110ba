package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.replication.consensus.ConsensusStatus.Role;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.ratis.TestCluster.Node;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three members in one process: what each promises of the log that they share. */
class RatisConsensusTest {
  private final Path folder;

  RatisConsensusTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void entriesAreAppliedInTheirOrderOnAllMembers() throws Exception {
    try (TestCluster cluster = TestCluster.ofThree(folder)) {
      Node leader = cluster.leader();
      List<String> entries = new ArrayList<>();
      List<CompletableFuture<Void>> proposed = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        entries.add("entry " + i);
        proposed.add(leader.propose("entry " + i));
      }
      for (CompletableFuture<Void> one : proposed) {
        one.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
      }
      assertEquals(entries, leader.applied(), "applied here before it is acknowledged");
      cluster.awaitApplied(entries);
      String leaderId = cluster.leaderId();
      for (Node node : cluster.nodes.values()) {
        assertEquals(Optional.of(leaderId), node.status().leader());
        assertEquals(node == leader ? Role.LEADER : Role.FOLLOWER, node.status().role());
      }
      assertEquals(
          cluster.members,
          leader.status().members().stream()
              .map(progress -> progress.member())
              .sorted(Comparator.comparing(Member::id))
              .toList());
    }
  }

  @Test
  void afterABarrierAnyMemberHasAppliedWhatWasAcknowledged() throws Exception {
    try (TestCluster cluster = TestCluster.ofThree(folder)) {
      Node leader = cluster.leader();
      List<String> entries = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        entries.add("entry " + i);
        leader.put("entry " + i);
        for (Node node : cluster.nodes.values()) {
          node.barrier();
          assertEquals(entries, node.applied());
        }
      }
    }
  }

  @Test
  void aClusterStartsAgainFromItsLog() throws Exception {
    List<String> entries = List.of("one", "two", "three");
    try (TestCluster cluster = TestCluster.ofThree(folder)) {
      for (String entry : entries) {
        cluster.leader().put(entry);
      }
      cluster.stopAll();
      cluster.startAll();
      cluster.leader();
      cluster.awaitApplied(entries);
      cluster.leader().put("four");
      cluster.awaitApplied(List.of("one", "two", "three", "four"));
    }
  }
}
