package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.ConsensusStatus;
import io.pensieve.replication.consensus.ConsensusStatus.MemberProgress;
import io.pensieve.replication.consensus.ConsensusStatus.Role;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.ratis.TestCluster.Node;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.retry.RetryPolicies;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Three members in one process: what each promises of the log that they share. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RatisConsensusTest {
  private static final Duration HANDOVER = Duration.ofSeconds(60);

  private final TestCluster cluster;

  RatisConsensusTest(@TempDir Path folder) throws IOException {
    cluster = TestCluster.ofThree(folder);
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
  void entriesAreAppliedInTheirOrderOnAllMembers() throws Exception {
    Node leader = cluster.leader();
    List<CompletableFuture<Void>> proposed = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      cluster.entries.add("entry " + i);
      proposed.add(leader.propose("entry " + i));
    }
    for (CompletableFuture<Void> one : proposed) {
      one.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
    assertEquals(cluster.entries, leader.applied(), "applied here before it is acknowledged");
  }

  @Test
  void allMembersKnowTheLeaderAndTheMembers() throws Exception {
    cluster.putNext("one");
    TestCluster.await("agreement", this::allAgree);
  }

  private boolean allAgree() {
    for (Map.Entry<String, Node> entry : cluster.nodes.entrySet()) {
      ConsensusStatus status = entry.getValue().status();
      boolean leads = status.leader().equals(Optional.of(entry.getKey()));
      Node leader = status.leader().map(cluster::node).orElse(null);
      boolean knowsProgress =
          status.members().stream()
              .allMatch(one -> leads == (one.matched() > 0 && one.silentMillis() >= 0));
      if (leader == null
          || status.role() != (leads ? Role.LEADER : Role.FOLLOWER)
          || status.term() != leader.leadingTerm()
          || status.committed() == 0
          || status.applied() != status.committed()
          || !membersOf(status).equals(Set.copyOf(cluster.members))
          || !knowsProgress) {
        return false;
      }
    }
    return true;
  }

  private static Set<Member> membersOf(ConsensusStatus status) {
    return status.members().stream().map(MemberProgress::member).collect(Collectors.toSet());
  }

  @Test
  void afterABarrierAnyMemberHasAppliedWhatWasAcknowledged() throws Exception {
    for (int i = 0; i < 20; i++) {
      cluster.putNext("entry " + i);
      for (Node node : cluster.nodes.values()) {
        node.barrier();
        assertEquals(cluster.entries, node.applied());
      }
    }
  }

  @Test
  void aBarrierMayBeginWhereAnotherOneCompletes() throws Exception {
    Node leader = cluster.leader();
    CompletableFuture<Void> second;
    List<CompletableFuture<Void>> proposed = new ArrayList<>();
    synchronized (
        leader) { // so nothing is applied: the first barrier waits, and so does the second
      proposed.add(proposeAndAwaitCommit(leader));
      CompletableFuture<Void> first = leader.consensus.readBarrier();
      second = first.thenCompose(passed -> leader.consensus.readBarrier());
      proposed.add(proposeAndAwaitCommit(leader));
    }
    second.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
    for (CompletableFuture<Void> one : proposed) {
      one.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
  }

  private CompletableFuture<Void> proposeAndAwaitCommit(Node leader) throws Exception {
    long committed = leader.status().committed();
    String entry = cluster.entries.size() + " beside a barrier";
    cluster.entries.add(entry);
    CompletableFuture<Void> proposed = leader.propose(entry);
    TestCluster.await("commit", () -> leader.status().committed() > committed);
    return proposed;
  }

  @Test
  void anEntryOfAnotherTermIsRefused() throws Exception {
    Node leader = cluster.leader();
    long term = leader.leadingTerm();
    assertRefused(leader, term - 1);
    assertRefused(leader, term + 1);
    for (Node follower : cluster.followers()) {
      assertRefused(follower, term);
    }
    cluster.putNext("after");
  }

  private static void assertRefused(Node node, long term) {
    byte[] entry = {'x'};
    CompletableFuture<Void> refused = node.consensus.propose(term, entry);
    assertThrows(
        ExecutionException.class,
        () -> refused.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS));
  }

  @Test
  void aTooLargeEntryIsRefusedBeforeItCanToppleItsLeader() throws Exception {
    Node leader = cluster.leader();
    long term = leader.leadingTerm();
    CompletableFuture<Void> refused = leader.consensus.propose(term, new byte[(18 << 20) + 1]);
    assertTrue(refused.isCompletedExceptionally());
    cluster.putNext("after");
  }

  @Test
  void theLeadIsHandedOver() throws Exception {
    Node first = cluster.leader();
    cluster.putNext("one");
    first.consensus.transferLeadership(Optional.empty(), HANDOVER).get();
    TestCluster.await("the old leader to follow", () -> first.leadingTerm() == 0);
    Node second = cluster.leader();
    cluster.putNext("two");
    String third = second == cluster.node("a") ? "b" : "a";
    second.consensus.transferLeadership(Optional.of(third), HANDOVER).get();
    TestCluster.await(third + " to lead", () -> cluster.node(third).leadingTerm() > 0);
    cluster.putNext("three");
    CompletableFuture<Void> stranger =
        cluster.node(third).consensus.transferLeadership(Optional.of("stranger"), HANDOVER);
    assertThrows(ExecutionException.class, stranger::get);
    cluster.putNext("four");
    CompletableFuture<Void> refused =
        second.consensus.transferLeadership(Optional.empty(), HANDOVER);
    assertThrows(ExecutionException.class, refused::get, "it does not lead");
  }

  @Test
  void clientsOfRatisAreTurnedAway() throws Exception {
    cluster.putNext("one");
    Member member = cluster.member(cluster.leaderId());
    RaftPeer peer =
        RaftPeer.newBuilder()
            .setId(member.id())
            .setAddress(member.host() + ":" + member.port())
            .build();
    RaftGroup group = RaftGroup.valueOf(RaftGroupId.valueOf(cluster.id), peer);
    try (RaftClient client =
        RaftClient.newBuilder()
            .setProperties(new RaftProperties())
            .setRaftGroup(group)
            .setLeaderId(RaftPeerId.valueOf(member.id()))
            .setRetryPolicy(RetryPolicies.noRetry())
            .build()) {
      assertThrows(IOException.class, () -> client.io().send(Message.valueOf("smuggled")));
      assertThrows(
          IOException.class,
          () ->
              client
                  .getGroupManagementApi(RaftPeerId.valueOf(member.id()))
                  .remove(group.getGroupId(), true, false));
    }
    cluster.putNext("two");
  }
}
