package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.ConsensusStatus.MemberProgress;
import io.pensieve.replication.consensus.ConsensusStatus.Role;
import io.pensieve.replication.consensus.Founding;
import io.pensieve.replication.consensus.FoundingState;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.ratis.TestCluster.Node;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Members come, go, and come back without their data. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MembershipTest {
  private final TestCluster cluster;
  private final Map<String, Founding> foundings = new ConcurrentHashMap<>();
  private final List<String> entries = new ArrayList<>();

  MembershipTest(@TempDir Path folder) throws IOException {
    cluster = new TestCluster(folder);
    for (String id : List.of("a", "b", "c")) {
      cluster.members.add(TestCluster.newMember(id));
    }
    for (Member member : cluster.members) {
      foundings.put(member.id(), Founding.at(cluster.folderOf(member.id()), member.id()));
    }
    cluster.id = startOf("a").cluster();
    startOf("b");
    startOf("c");
    cluster.startAll();
  }

  @AfterAll
  void close() {
    cluster.close();
  }

  private Founding founding(String id) {
    return Objects.requireNonNull(foundings.get(id));
  }

  private Optional<FoundingState> probe(Member peer) {
    return Optional.ofNullable(foundings.get(peer.id())).map(Founding::state);
  }

  private Founding.Start startOf(String id) throws IOException {
    return assertInstanceOf(
        Founding.Start.class, founding(id).decide(cluster.members, this::probe));
  }

  private void put(String what) throws Exception {
    String entry = entries.size() + " " + what;
    cluster.put(entry);
    entries.add(entry);
  }

  private void setMembers(List<Member> members) throws Exception {
    cluster
        .leader()
        .consensus
        .setMembers(members)
        .get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private static Set<Member> membersOf(Node node) {
    return node.status().members().stream().map(MemberProgress::member).collect(Collectors.toSet());
  }

  private List<Member> without(String id) {
    return cluster.members.stream().filter(member -> !member.id().equals(id)).toList();
  }

  @Test
  void anEmptiedMemberComesBackOnlyOnceItWasRemovedAndAdmitted() throws Exception {
    put("one");
    String emptied = cluster.leaderId().equals("c") ? "b" : "c";
    cluster.stop(emptied);
    TestCluster.delete(cluster.folderOf(emptied));
    Founding again = Founding.at(cluster.folderOf(emptied), emptied);
    foundings.put(emptied, again);
    assertInstanceOf(Founding.Wait.class, again.decide(cluster.members, this::probe));

    setMembers(without(emptied));
    put("two");
    admit(emptied);
    Founding.Start start = startOf(emptied);
    assertEquals(List.of(), start.founders());
    Member member = TestCluster.newMember(emptied); // on another machine: at another address
    cluster.members.set(cluster.members.indexOf(cluster.member(emptied)), member);
    Node node = cluster.start(member, start.founders());
    assertEquals(Role.OUTSIDE, node.status().role());
    setMembers(cluster.members);
    put("three");
    cluster.awaitApplied(entries);
    assertEquals(Role.FOLLOWER, node.status().role());

    cluster.stop(emptied);
    cluster.start(member, startOf(emptied).founders());
    put("four");
    cluster.awaitApplied(entries);

    // Also one that did not lead meanwhile knows where it is now.
    String other =
        Stream.of("a", "b", "c")
            .filter(id -> !id.equals(emptied) && cluster.node(id).leadingTerm() == 0)
            .findFirst()
            .orElse("a");
    cluster.leader().consensus.transferLeadership(Optional.of(other), Duration.ofSeconds(60)).get();
    put("five");
    cluster.awaitApplied(entries);
  }

  private void admit(String id) throws Exception {
    String leader = cluster.leaderId();
    Thread admission =
        new Thread(
            () -> {
              try {
                founding(leader).admit(cluster.member(id), this::probe, Duration.ofSeconds(60));
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    admission.start();
    TestCluster.await(
        id + " to be admitted",
        () -> {
          try {
            return founding(id).decide(cluster.members, this::probe) instanceof Founding.Start;
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
    admission.join();
  }

  @Test
  void membersAreAddedAndRemoved() throws Exception {
    put("before");
    Member fourth = TestCluster.newMember("d");
    Node node = cluster.start(fourth, List.of());
    List<Member> four = new ArrayList<>(cluster.members);
    four.add(fourth);
    setMembers(four);
    put("with four");
    cluster.awaitApplied(entries);
    assertEquals(Set.copyOf(four), membersOf(node));
    assertEquals(Set.copyOf(four), membersOf(cluster.leader()));

    assertFails(cluster.followers().get(0).consensus.setMembers(four));
    if (cluster.leaderId().equals("d")) {
      cluster.leader().consensus.transferLeadership(Optional.of("a"), Duration.ofSeconds(60)).get();
      TestCluster.await("a to lead", () -> cluster.node("a").leadingTerm() > 0);
    }
    setMembers(cluster.members);
    put("with three again");
    TestCluster.await("d to be outside", () -> node.status().role() == Role.OUTSIDE);
    cluster.stop("d");
    cluster.awaitApplied(entries);
    assertEquals(Set.copyOf(cluster.members), membersOf(cluster.leader()));
  }

  @Test
  void theOneSurvivorBecomesAClusterOfItsOwn() throws Exception {
    put("one");
    cluster.awaitApplied(entries);
    Member survivor = cluster.member("b");
    assertThrows(IOException.class, () -> Survivor.becomeCluster(cluster.folderOf("b"), survivor));
    Node leader = cluster.leader();
    leader.consensus.propose(leader.leadingTerm(), new byte[0]).get(); // as a barrier does
    cluster.stopAll();
    List<byte[]> found = new ArrayList<>();
    for (String id : List.of("a", "b", "c")) {
      Survivor.look(cluster.folderOf(id), found::add);
    }
    assertTrue(found.stream().noneMatch(entry -> entry.length == 0), "barriers are no entries");
    LogPosition last = Survivor.becomeCluster(cluster.folderOf("b"), survivor);
    assertTrue(last.index() >= entries.size());
    Founding again = Founding.at(cluster.folderOf("b"), "b");
    Founding.Start start =
        assertInstanceOf(Founding.Start.class, again.decide(List.of(survivor), peer -> none()));
    UUID before = cluster.id;
    cluster.id = start.cluster();
    Node alone = cluster.start(survivor, start.founders());
    put("two");
    assertEquals(entries, alone.applied());
    assertEquals(Set.of(survivor), membersOf(alone));

    // For the other tests: the new cluster grows to what the old one was.
    foundings.put("b", again);
    for (String id : List.of("a", "c")) {
      TestCluster.delete(cluster.folderOf(id));
      foundings.put(id, Founding.at(cluster.folderOf(id), id));
      admit(id);
      cluster.start(cluster.member(id), List.of());
      List<Member> more = new ArrayList<>(membersOf(alone));
      more.add(cluster.member(id));
      setMembers(more);
    }
    assertNotEquals(before, cluster.id);
    put("three");
    cluster.awaitApplied(entries);
  }

  private static Optional<FoundingState> none() {
    return Optional.empty();
  }

  private static void assertFails(CompletableFuture<Void> future) {
    assertThrows(
        ExecutionException.class, () -> future.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS));
  }
}
