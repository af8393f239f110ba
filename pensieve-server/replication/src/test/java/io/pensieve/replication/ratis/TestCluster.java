package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.ConsensusStatus;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.consensus.StateMachine;
import io.pensieve.testing.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Members of one cluster in this process, on loopback. Each keeps the entries that it applied. */
final class TestCluster implements AutoCloseable {
  static final long PATIENCE_SECONDS = 120;

  /** Longer than by default: on a busy machine a leader stays what it is. */
  private static final int ELECTION_MILLIS = 2_000;

  UUID id = UUID.randomUUID();
  final Path folder;
  final List<Member> members = new ArrayList<>();
  final Map<String, Node> nodes = new ConcurrentSkipListMap<>();

  /** What was acknowledged, in its order; by the thread of the tests. */
  final List<String> entries = new ArrayList<>();

  private UnaryOperator<RatisConsensus.Builder> settings = UnaryOperator.identity();

  TestCluster(Path folder) {
    this.folder = folder;
  }

  /** A member and the list that it keeps. */
  static final class Node implements StateMachine {
    final RatisConsensus consensus;
    final List<String> events = new ArrayList<>();
    final List<String> applied = new ArrayList<>();
    LogPosition last = new LogPosition(0, 0);
    long leadingTerm;

    /** An entry at which this machine fails. */
    volatile @Nullable String poison;

    final CompletableFuture<Throwable> failure = new CompletableFuture<>();

    Node(RatisConsensus consensus) {
      this.consensus = consensus;
    }

    @Override
    public synchronized void apply(LogPosition position, byte[] entry) {
      if (leadingTerm != 0 && position.term() != leadingTerm) {
        events.add("applied an entry of term " + position.term() + " in term " + leadingTerm);
      }
      if (position.index() <= last.index()) {
        events.add("applied " + position + " after " + last);
      }
      String text = new String(entry, StandardCharsets.UTF_8);
      if (text.equals(poison)) {
        throw new IllegalStateException(text);
      }
      last = position;
      applied.add(text);
    }

    @Override
    public synchronized void lead(long term) {
      leadingTerm = term;
      events.add("lead");
    }

    @Override
    public synchronized void follow() {
      leadingTerm = 0;
      events.add("follow");
    }

    @Override
    public synchronized void restore(LogPosition position, Path snapshot) {
      try {
        applied.clear();
        applied.addAll(Files.readAllLines(snapshot));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      last = position;
      events.add("restore");
    }

    @Override
    public void fail(Throwable cause) {
      failure.complete(cause);
    }

    synchronized List<String> applied() {
      return List.copyOf(applied);
    }

    synchronized List<String> events() {
      return List.copyOf(events);
    }

    synchronized long leadingTerm() {
      return leadingTerm;
    }

    CompletableFuture<Void> propose(String entry) {
      return consensus.propose(leadingTerm(), entry.getBytes(StandardCharsets.UTF_8));
    }

    void put(String entry) throws Exception {
      propose(entry).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    /** Again and again: a member fails to do it while it knows no leader. */
    void barrier() throws InterruptedException {
      TestCluster.await("a barrier", this::hasPassedBarrier);
    }

    private boolean hasPassedBarrier() {
      CompletableFuture<Void> barrier = consensus.readBarrier();
      return barrier.handle((done, failed) -> failed == null).join();
    }

    synchronized void snapshot() throws IOException {
      Path file = consensus.temporaryFolder().resolve("a-snapshot");
      Files.write(file, applied);
      consensus.saveSnapshot(last, file);
    }

    ConsensusStatus status() {
      return consensus.status();
    }
  }

  TestCluster with(UnaryOperator<RatisConsensus.Builder> settings) {
    this.settings = settings;
    return this;
  }

  static Member newMember(String id) {
    int port = Ports.take();
    return new Member(id, "127.0.0.1", port, URI.create("http://127.0.0.1:" + port));
  }

  static TestCluster ofThree(Path folder) {
    return ofThree(folder, UnaryOperator.identity());
  }

  static TestCluster ofThree(Path folder, UnaryOperator<RatisConsensus.Builder> settings) {
    TestCluster cluster = new TestCluster(folder).with(settings);
    for (String id : List.of("a", "b", "c")) {
      cluster.members.add(newMember(id));
    }
    cluster.startAll();
    return cluster;
  }

  /** All at once: most of a start is waiting. */
  void startAll() {
    inParallel(members, member -> start(member, members));
  }

  private interface Step<T> {
    void run(T one) throws IOException;
  }

  private static <T> void inParallel(Collection<T> all, Step<T> step) {
    List<CompletableFuture<Void>> steps = new ArrayList<>();
    for (T one : all) {
      steps.add(
          CompletableFuture.runAsync(
              () -> {
                try {
                  step.run(one);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              },
              task -> new Thread(task, "test-cluster").start()));
    }
    steps.forEach(CompletableFuture::join);
  }

  void stopAll() {
    inParallel(nodes.values(), node -> node.consensus.close());
    nodes.clear();
  }

  /**
   * Has the leader commit an entry that is not in the log yet. If the lead is lost meanwhile, the
   * next leader knows what became of it.
   */
  void put(String entry) throws Exception {
    while (true) {
      Node node = leader();
      try {
        node.put(entry);
        return;
      } catch (ExecutionException unknown) {
        node = leader();
        node.barrier();
        if (node.applied().contains(entry)) {
          return;
        }
      }
    }
  }

  /** Puts an entry that differs from all before, and keeps it as acknowledged. */
  void putNext(String what) throws Exception {
    String entry = entries.size() + " " + what;
    put(entry);
    entries.add(entry);
  }

  Path folderOf(String id) {
    return folder.resolve(id);
  }

  Node start(Member member, List<Member> initial) throws IOException {
    RatisConsensus consensus =
        settings
            .apply(
                RatisConsensus.at(folderOf(member.id()), id, member.id())
                    .electionMillis(ELECTION_MILLIS)
                    .members(initial)
                    .bind(member.host(), member.port()))
            .build();
    Node node = new Node(consensus);
    consensus.start(node);
    nodes.put(member.id(), node);
    return node;
  }

  Member member(String id) {
    return members.stream().filter(one -> one.id().equals(id)).findFirst().orElseThrow();
  }

  Node restart(String id) throws IOException {
    return start(member(id), members);
  }

  static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  Node node(String id) {
    return Objects.requireNonNull(nodes.get(id));
  }

  void stop(String id) {
    Node node = node(id);
    nodes.remove(id);
    node.consensus.close();
  }

  Node leader() throws InterruptedException {
    await("a leader", () -> nodes.values().stream().anyMatch(node -> node.leadingTerm() > 0));
    return nodes.values().stream().filter(node -> node.leadingTerm() > 0).findFirst().orElseThrow();
  }

  String leaderId() throws InterruptedException {
    Node leader = leader();
    return nodes.entrySet().stream()
        .filter(entry -> entry.getValue() == leader)
        .findFirst()
        .orElseThrow()
        .getKey();
  }

  List<Node> followers() throws InterruptedException {
    Node leader = leader();
    return nodes.values().stream().filter(node -> node != leader).toList();
  }

  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what);
      }
      Thread.sleep(5);
    }
  }

  void awaitApplied(List<String> entries) throws InterruptedException {
    for (Map.Entry<String, Node> node : nodes.entrySet()) {
      await(
          node.getKey() + " to apply " + entries.size() + ", has " + node.getValue().applied(),
          () -> node.getValue().applied().equals(entries));
    }
  }

  void awaitApplied() throws InterruptedException {
    awaitApplied(entries);
  }

  /** Somebody leads, and all members have what was acknowledged and nothing else. */
  void assertAcknowledgedApplied() throws InterruptedException {
    leader();
    awaitApplied();
    assertInOrder();
  }

  /** No machine was called in a wrong order, and none was told that its member cannot go on. */
  void assertInOrder() {
    for (Map.Entry<String, Node> node : nodes.entrySet()) {
      for (String event : node.getValue().events()) {
        if (event.startsWith("applied")) {
          throw new AssertionError(node.getKey() + " " + event);
        }
      }
      if (node.getValue().failure.isDone()) {
        throw new AssertionError(node.getKey() + " failed", node.getValue().failure.join());
      }
    }
  }

  @Override
  public void close() {
    assertInOrder();
    stopAll();
  }
}
