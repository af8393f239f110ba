package io.pensieve.replication.consensus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.Founding.Decision;
import io.pensieve.replication.consensus.Founding.Start;
import io.pensieve.replication.consensus.Founding.Wait;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who founds a cluster, who is in one, and who has to wait. */
class FoundingTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path folder;
  private final List<Member> members = List.of(member("a"), member("b"), member("c"));

  /** The nodes that run. */
  private final Map<String, Founding> nodes = new HashMap<>();

  FoundingTest(@TempDir Path folder) throws IOException {
    this.folder = folder;
    for (Member member : members) {
      start(member.id());
    }
  }

  private static Member member(String id) {
    return new Member(id, "127.0.0.1", 1, URI.create("http://" + id));
  }

  private Founding start(String id) throws IOException {
    Founding node = Founding.at(folder.resolve(id), id);
    nodes.put(id, node);
    return node;
  }

  private Founding startWiped(String id) throws IOException {
    Path of = folder.resolve(id).resolve("raft");
    Files.deleteIfExists(of.resolve("incarnation"));
    Files.deleteIfExists(of.resolve("cluster"));
    return start(id);
  }

  private Founding node(String id) {
    return Objects.requireNonNull(nodes.get(id));
  }

  private Optional<FoundingState> probe(Member peer) {
    return Optional.ofNullable(nodes.get(peer.id())).map(Founding::state);
  }

  private Decision decide(String id) throws IOException {
    return node(id).decide(members, this::probe);
  }

  private Start assertStarts(String id) throws IOException {
    return assertInstanceOf(Start.class, decide(id));
  }

  private void assertWaits(String id, String because) throws IOException {
    Wait wait = assertInstanceOf(Wait.class, decide(id));
    assertTrue(wait.reason().contains(because), wait::reason);
  }

  @Test
  void allFoundTheSameCluster() throws IOException {
    Start first = assertStarts("a");
    assertEquals(members, first.founders());
    assertEquals(first, assertStarts("b"));
    assertEquals(first, assertStarts("c"));
  }

  @Test
  void nobodyFoundsBeforeAllAnswer() throws IOException {
    nodes.remove("c");
    assertWaits("a", "[c]");
    start("c");
    assertStarts("a");
  }

  @Test
  void aFolderRemembersItsCluster() throws IOException {
    Start first = assertStarts("a");
    nodes.clear();
    start("a");
    assertEquals(first, assertStarts("a"), "without asking anybody");
  }

  @Test
  void aNodeThatWasSlowFindsItselfAmongTheFounders() throws IOException {
    Start first = assertStarts("a");
    start("c");
    assertEquals(first, assertStarts("c"));
  }

  @Test
  void anEmptiedMemberWaitsAndSaysWhatHelps() throws IOException {
    assertStarts("a");
    assertStarts("b");
    startWiped("c");
    assertWaits("c", "pensieve-server cluster replace c");
    assertStarts("a");
  }

  @Test
  void twoEmptiedMembersFoundNothingWithoutTheThird() throws IOException {
    assertStarts("a");
    assertStarts("b");
    assertStarts("c");
    startWiped("b");
    startWiped("c");
    assertWaits("b", "replace b");
    nodes.remove("a");
    assertWaits("b", "[a]");
    assertWaits("c", "[a]");
  }

  @Test
  void foundersThatMissedAWipeNeverHaveAMajority() throws IOException {
    FoundingState before = node("c").state();
    startWiped("c");
    Decision late =
        node("a")
            .decide(members, peer -> peer.id().equals("c") ? Optional.of(before) : probe(peer));
    Start alone = assertInstanceOf(Start.class, late);
    assertWaits("c", "exists");
    assertEquals(alone, assertStarts("b"), "b is among the founders that a knew");
    assertWaits("c", "replace c");
  }

  @Test
  void anAdmittedNodeJoinsTheClusterOfItsLeader() throws Exception {
    Start first = assertStarts("a");
    assertStarts("b");
    startWiped("c");
    assertWaits("c", "exists");
    CompletableFuture<Void> admitted = CompletableFuture.runAsync(() -> admit("c"), thread());
    while (decide("c") instanceof Wait) {
      Thread.onSpinWait();
    }
    admitted.get();
    Start joined = assertStarts("c");
    assertEquals(first.cluster(), joined.cluster());
    assertEquals(List.of(), joined.founders(), "it must be added by the leader");
    start("c");
    assertEquals(joined, assertStarts("c"), "over a restart, too");
  }

  private void admit(String id) {
    try {
      node("a").admit(member(id), this::probe, PATIENCE);
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static Executor thread() {
    return task -> new Thread(task, "admit").start();
  }

  @Test
  void anInvitationIsForOneFolderAndForAWhile() throws Exception {
    assertStarts("a");
    assertStarts("b");
    Founding emptied = startWiped("c");
    assertThrows(IOException.class, () -> node("a").admit(member("c"), this::probe, Duration.ZERO));
    assertEquals(Set.of(), node("a").state().invited());
    assertWaits("c", "exists");
    assertNotEquals(emptied.state().incarnation(), startWiped("c").state().incarnation());
  }

  @Test
  void aNodeOfAnotherClusterIsNotAdmitted() throws Exception {
    assertStarts("a");
    Founding stranger = Founding.at(folder.resolve("d"), "d");
    nodes.put("d", stranger);
    stranger.decide(List.of(member("d")), this::probe);
    IOException refused =
        assertThrows(IOException.class, () -> node("a").admit(member("d"), this::probe, PATIENCE));
    assertTrue(String.valueOf(refused.getMessage()).contains("another cluster"));
  }

  @Test
  void aFolderOfAnotherNodeIsRefused() throws IOException {
    assertThrows(IOException.class, () -> Founding.at(folder.resolve("a"), "b"));
    Files.writeString(
        folder.resolve("b").resolve("raft").resolve("incarnation"), "id=b\nincarnation=?\n");
    IOException damaged =
        assertThrows(IOException.class, () -> Founding.at(folder.resolve("b"), "b"));
    assertTrue(String.valueOf(damaged.getMessage()).contains("incarnation is damaged"));
  }

  @Test
  void aPeerThatIsSomebodyElseIsNoticed() throws IOException {
    nodes.put("b", node("c"));
    assertWaits("a", "http://b is not b but c");
  }

  @Test
  void differentListsOfPeersAreNoticed() throws IOException {
    Founding a = node("a");
    a.decide(List.of(member("a"), member("b")), this::probe);
    assertWaits("b", "lists of peers");
  }

  @Test
  void theOneSurvivorFoundsAnotherCluster() throws IOException {
    Start old = assertStarts("a");
    UUID made = UUID.randomUUID();
    node("a").refound(made);
    assertNotEquals(old.cluster(), made);
    start("a");
    assertEquals(new Start(made, List.of(member("a"))), assertStarts("a"));
  }
}
