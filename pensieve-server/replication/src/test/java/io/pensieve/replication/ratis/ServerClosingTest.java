package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.consensus.StateMachine;
import io.pensieve.replication.grpc.ReadIndexAnswers;
import io.pensieve.replication.ratis.OwnRequests.ProposedEntry;
import io.pensieve.replication.ratis.TestCluster.Node;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.raftlog.segmented.SegmentedRaftLog;
import org.apache.ratis.util.AutoCloseableLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A member ends in bounded time, whatever Ratis does. */
class ServerClosingTest {
  private static final int ENTRY_BYTES = 2 << 10;
  private static final int ENTRIES = 60;
  private static final int SEGMENT_BYTES = 16 << 10;
  private static final long CLOSE_MILLIS = TimeUnit.SECONDS.toMillis(30);

  private final Path folder;
  private final List<String> lines = new CopyOnWriteArrayList<>();

  ServerClosingTest(@TempDir Path folder) {
    this.folder = folder;
  }

  /** The log is closed, and just then an old entry is read, so that there is one to evict. */
  @Test
  @SuppressWarnings("try") // the lock that is held
  void aLogClosesAlthoughItIsToEvictEntries() throws Exception {
    try (ServerOfOne only = new ServerOfOne(folder)) {
      for (int i = 0; i < ENTRIES; i++) {
        only.write(new byte[ENTRY_BYTES]);
      }
      SegmentedRaftLog log = (SegmentedRaftLog) only.division().getRaftLog();
      ServerClosing closing = new ServerClosing(only.server, only.threads);
      CompletableFuture<Void> closed;
      try (AutoCloseableLock held = log.writeLock()) {
        closed = CompletableFuture.runAsync(() -> closing.run(CLOSE_MILLIS), in("test-closing"));
        TestCluster.await("the log to be closed", () -> stands(SegmentedRaftLog.class, "close"));
        for (long index = 0; index < ENTRIES; index++) {
          var unused = log.get(index); // signals the thread that evicts
        }
        TestCluster.await("nobody to evict", () -> !isEvicting() || waitsToEvict());
      }
      closed.get(2 * TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
      assertTrue(closing.hasEnded(), "the closing waits for ever");
    }
  }

  private static boolean isEvicting() {
    return Thread.getAllStackTraces().keySet().stream()
        .anyMatch(thread -> thread.getName().matches("one@.*-cacheEviction-.*"));
  }

  private static boolean waitsToEvict() {
    return stands(SegmentedRaftLog.class, "checkAndEvictCache");
  }

  private static boolean stands(Class<?> type, String method) {
    return Thread.getAllStackTraces().values().stream()
        .flatMap(Arrays::stream)
        .anyMatch(
            frame ->
                frame.getClassName().equals(type.getName())
                    && frame.getMethodName().equals(method));
  }

  @Test
  void aMemberIsAbandonedWhoseMachineDoesNotReturn() throws Exception {
    TestCluster cluster =
        new TestCluster(folder).with(settings -> settings.closeMillis(100).onEvent(lines::add));
    cluster.members.add(TestCluster.newMember("only"));
    cluster.startAll();
    Node node = cluster.leader();
    CompletableFuture<Void> proposed;
    synchronized (node) { // so the entry is not applied
      long committed = node.status().committed();
      proposed = node.propose("entry");
      TestCluster.await("commit", () -> node.status().committed() > committed);
      node.consensus.close();
    }
    assertEquals(
        List.of("the consensus engine does not stop in time, and is abandoned"),
        lines.stream().filter(line -> line.contains("abandoned")).toList());
    for (Thread each : Thread.getAllStackTraces().keySet()) {
      if (each.getName().endsWith("-only-close")) {
        each.join(); // it goes on, now that the machine returns
      }
    }
    assertTrue(proposed.isDone());
  }

  private static Executor in(String name) {
    return task -> new Thread(task, name).start();
  }

  /** A server of Ratis, alone in its cluster. */
  private static final class ServerOfOne implements AutoCloseable, StateMachine {
    final RaftServer server;
    final EngineThreads threads;
    private final RaftGroupId group;
    private final OwnRequests requests;
    private final CompletableFuture<Long> term = new CompletableFuture<>();

    ServerOfOne(Path folder) throws Exception {
      Member self = TestCluster.newMember("one");
      EngineSettings settings = new EngineSettings(folder, UUID.randomUUID(), self.id());
      settings.members = List.of(self);
      settings.host = self.host();
      settings.port = self.port();
      settings.segmentBytes = SEGMENT_BYTES;
      group = RaftGroupId.valueOf(settings.cluster);
      requests = new OwnRequests(RaftPeerId.valueOf(self.id()), group);
      EngineEvents events = new EngineEvents(line -> {}, this);
      threads = new EngineThreads(self.id(), events);
      AppliedLog log =
          new AppliedLog(
              this,
              new SnapshotFolder(Files.createDirectory(folder.resolve("temporary"))),
              new RetainedLog(settings.retainedBytes),
              Runnable::run,
              events);
      ReadIndexAnswers answers =
          new ReadIndexAnswers(group, () -> CompletableFuture.completedFuture(0L));
      EngineProcess.prepare();
      RaftServer[] built = new RaftServer[1];
      threads.call(
          () -> {
            built[0] =
                ServerAssembly.build(
                    settings, folder.resolve("raft"), log, answers, events, threads, true);
            log.attach(built[0].getDivision(group));
            built[0].start();
          });
      server = built[0];
    }

    RaftServer.Division division() throws Exception {
      return server.getDivision(group);
    }

    void write(byte[] entry) throws Exception {
      long leading = term.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
      Message message = ProposedEntry.of(leading, entry);
      requests
          .submit(server, RaftClientRequest.writeRequestType(), message)
          .get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void apply(LogPosition position, byte[] entry) {}

    @Override
    public void lead(long newTerm) {
      term.complete(newTerm);
    }

    @Override
    public void follow() {}

    @Override
    public void restore(LogPosition position, Path snapshot) {}

    @Override
    public void fail(Throwable cause) {
      term.completeExceptionally(cause);
    }

    @Override
    public void close() {
      new ServerClosing(server, threads).run(CLOSE_MILLIS);
    }
  }
}
