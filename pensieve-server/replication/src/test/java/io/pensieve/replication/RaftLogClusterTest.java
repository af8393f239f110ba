package io.pensieve.replication;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import io.pensieve.Versioned;
import io.pensieve.Write;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.FileLog;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.ratis.RatisConsensus;
import io.pensieve.testing.Ports;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three members with the real engine, in this process, on loopback. */
class RaftLogClusterTest {
  private static final long PATIENCE_SECONDS = 120;

  /** A member at work. */
  private record Node(RaftLog<String, String> log, Pensieve<String, String> map) {}

  private final UUID cluster = UUID.randomUUID();
  private final List<Member> members = new ArrayList<>();
  private final Map<String, Node> nodes = new TreeMap<>();

  private final Path folder;

  RaftLogClusterTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @BeforeEach
  void openAll() {
    for (String id : List.of("one", "two", "three")) {
      int port = Ports.take();
      members.add(new Member(id, "127.0.0.1", port, URI.create("http://127.0.0.1:" + port)));
    }
    members.forEach(this::open);
  }

  @AfterEach
  void closeAll() {
    nodes.values().parallelStream().forEach(node -> node.map().close()); // each takes seconds
  }

  private void open(Member member) {
    RatisConsensus engine =
        RatisConsensus.at(folder.resolve(member.id()), cluster, member.id())
            .members(members)
            .bind(member.host(), member.port())
            .build();
    RaftLog<String, String> log =
        RaftLog.<String, String>on(engine, Codec.utf8(), Codec.utf8()).build();
    Pensieve<String, String> map =
        Pensieve.<String, String>builder().maximumEntries(1_000).log(log).open();
    nodes.put(member.id(), new Node(log, map));
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "it takes too long");
      Thread.sleep(5);
    }
  }

  private Map.Entry<String, Node> leader() throws InterruptedException {
    List<Map.Entry<String, Node>> found = new ArrayList<>();
    await(
        () -> {
          nodes.entrySet().stream()
              .filter(node -> node.getValue().log().isLeading())
              .forEach(found::add);
          return !found.isEmpty();
        });
    return found.get(0);
  }

  // Until some member acknowledges it, as a client does that retries.
  private long put(String key, String value) throws InterruptedException {
    while (true) {
      try {
        PendingWrite<String> write = leader().getValue().map().writeAsync(Write.put(key, value));
        return write.await().version();
      } catch (LogException lostLead) {
        Thread.sleep(5);
      }
    }
  }

  // A member that has just come back knows no leader at first.
  private static void passBarrier(Node node) throws InterruptedException {
    await(
        () -> {
          try {
            node.log().readBarrier().join();
            return true;
          } catch (CompletionException noLeader) {
            return false;
          }
        });
  }

  private static Map<String, Long> versions(Node node) throws Exception {
    passBarrier(node);
    Map<String, Long> versions = new HashMap<>();
    for (String key : node.map().keySet()) {
      Versioned<String> entry = node.map().getVersioned(key);
      if (entry != null) {
        versions.put(key, entry.version());
      }
    }
    return versions;
  }

  @Test
  void allMembersShowTheSameAlsoAfterTheLeaderHasGoneAndComeBack() throws Exception {
    Map<String, Long> expected = new HashMap<>();
    for (int i = 0; i < 100; i++) {
      expected.put("a" + i, put("a" + i, "value " + i));
    }
    for (Node node : nodes.values()) {
      assertEquals(expected, versions(node));
    }
    Map.Entry<String, Node> first = leader();
    assertTrue(requireNonNull(first.getValue().log().snapshots()).save());
    String gone = first.getKey(); // the entry is another one once it is removed
    requireNonNull(nodes.remove(gone)).map().close();
    for (int i = 0; i < 100; i++) {
      expected.put("b" + i, put("b" + i, "value " + i));
    }
    for (Member member : members) {
      if (member.id().equals(gone)) {
        open(member);
        assertTrue(requireNonNull(nodes.get(member.id())).log().status().snapshot().isPresent());
      }
    }
    expected.put("c", put("c", "after it came back"));
    for (Node node : nodes.values()) {
      assertEquals(expected, versions(node));
      assertTrue(node.log().isReadable());
    }
  }

  @Test
  void eachMemberTellsChangesAndGivesABackupAndFollowersRefuseWrites() throws Exception {
    long version = put("a", "b");
    for (Node node : nodes.values()) {
      passBarrier(node);
      Path copy = folder.resolve("backup " + UUID.randomUUID());
      node.map().backup(copy);
      assertThrows(IllegalArgumentException.class, () -> node.map().backup(copy));
      try (Pensieve<String, String> single =
          Pensieve.<String, String>builder()
              .log(FileLog.at(copy, Codec.utf8(), Codec.utf8()).durability(Durability.POWER_CUT))
              .open()) {
        assertEquals(Map.of("a", "b"), single);
      }
      if (!node.log().isLeading()) {
        assertThrows(LogException.ReadOnly.class, () -> node.map().put("c", "d"));
      }
      try (ChangeStream<String, String> changes = node.map().changes(0)) {
        List<Sequenced<String, String>> next = changes.next(Duration.ZERO);
        assertEquals(1, next.size());
        assertEquals(version, next.get(0).sequence());
      }
    }
  }

  @Test
  void aRequestIsKnownOnTheNextLeader() throws Exception {
    Map.Entry<String, Node> first = leader();
    RaftLog<String, String> log = first.getValue().log();
    Pensieve<String, String> map = first.getValue().map();
    Optional<String> unused = log.execute("request 1", () -> String.valueOf(map.put("a", "b")));
    nodes.remove(first.getKey());
    map.close();
    Node second = leader().getValue();
    assertTrue(second.log().execute("request 1", () -> second.map().put("a", "c")).isEmpty());
    RequestOutcome<String> outcome = second.log().outcome("request 1").orElseThrow();
    assertEquals("b", outcome.changes().get(0).value());
    assertTrue(outcome.changes().get(0).added());
    assertEquals("b", second.map().get("a"));
  }
}
