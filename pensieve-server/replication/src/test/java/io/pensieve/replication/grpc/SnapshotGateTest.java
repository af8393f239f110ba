package io.pensieve.replication.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotReplyProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.server.RaftServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SnapshotGateTest {
  private static final long PATIENCE_MILLIS = 120_000;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final SnapshotGate gate = new SnapshotGate(PATIENCE_MILLIS);

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  @Test
  void aSnapshotWaitsForAllAppendsUnderWay() throws Exception {
    CompletableFuture<String> first = new CompletableFuture<>();
    CompletableFuture<String> second = new CompletableFuture<>();
    CompletableFuture<String> firstAppended = gate.append(() -> first);
    CompletableFuture<String> secondAppended = gate.append(() -> second);
    Future<Boolean> install =
        threads.submit(() -> gate.install(() -> first.isDone() && second.isDone()));
    assertFalse(install.isDone());
    second.completeExceptionally(new IOException("the disk is full"));
    assertTrue(secondAppended.isCompletedExceptionally());
    first.complete("appended");
    assertEquals("appended", firstAppended.join());
    assertTrue(install.get());
  }

  @Test
  void appendsWaitForASnapshotAndForEachOfSeveral() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    CompletableFuture<Void> installed = new CompletableFuture<>();
    Future<Boolean> install =
        threads.submit(
            () ->
                gate.install(
                    () -> {
                      begun.countDown();
                      awaitUninterruptibly(end);
                      return installed.complete(null);
                    }));
    begun.await();
    Future<Boolean> append =
        threads.submit(
            () -> gate.append(() -> CompletableFuture.completedFuture(installed.isDone())).join());
    assertFalse(append.isDone());
    end.countDown();
    assertTrue(install.get());
    assertTrue(append.get());
  }

  private static void awaitUninterruptibly(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Test
  void failuresLeaveItOpen() throws Exception {
    for (RuntimeException failure :
        new RuntimeException[] {new IllegalStateException(), new IllegalArgumentException()}) {
      assertThrows(
          failure.getClass(),
          () ->
              gate.append(
                  () -> {
                    throw failure;
                  }));
      assertThrows(
          failure.getClass(),
          () ->
              gate.install(
                  () -> {
                    throw failure;
                  }));
    }
    assertEquals(1, gate.install(() -> 1));
    assertEquals(2, gate.append(() -> CompletableFuture.completedFuture(2)).join());
  }

  @Test
  void aSnapshotThatWaitsInVainIsRefusedAndComesAgain() throws Exception {
    SnapshotGate impatient = new SnapshotGate(1);
    CompletableFuture<String> append = new CompletableFuture<>();
    CompletableFuture<String> appended = impatient.append(() -> append);
    assertThrows(IOException.class, () -> impatient.install(() -> 1));
    append.complete("");
    assertEquals("", appended.join());
    assertEquals(1, impatient.install(() -> 1));
  }

  @Test
  void theServerThatRatisCallsHasAGate() throws Exception {
    CompletableFuture<AppendEntriesReplyProto> append = new CompletableFuture<>();
    InstallSnapshotReplyProto received = InstallSnapshotReplyProto.getDefaultInstance();
    AtomicBoolean hasRoom = new AtomicBoolean();
    RaftServer server =
        (RaftServer)
            Proxy.newProxyInstance(
                RaftServer.class.getClassLoader(),
                new Class<?>[] {RaftServer.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("appendEntriesAsync")) {
                    return append;
                  } else if (method.getName().equals("installSnapshot") && hasRoom.get()) {
                    return received;
                  }
                  throw new IOException(method.getName());
                });
    AtomicBoolean failed = new AtomicBoolean();
    AtomicInteger forced = new AtomicInteger();
    RaftServer gated =
        GatedGrpc.gated(server, new SnapshotGate(1), failed::get, forced::incrementAndGet);
    AppendEntriesRequestProto heartbeat = AppendEntriesRequestProto.getDefaultInstance();
    AppendEntriesRequestProto entries =
        heartbeat.toBuilder().addEntries(LogEntryProto.getDefaultInstance()).build();
    InstallSnapshotRequestProto chunk = InstallSnapshotRequestProto.getDefaultInstance();
    assertSame(append, gated.appendEntriesAsync(heartbeat), "needs no gate");
    CompletableFuture<AppendEntriesReplyProto> appended = gated.appendEntriesAsync(entries);
    assertNotEquals( // it waits in vain
        "installSnapshot",
        assertThrows(IOException.class, () -> gated.installSnapshot(chunk)).getMessage());
    append.complete(AppendEntriesReplyProto.getDefaultInstance());
    appended.get(2, TimeUnit.MINUTES);
    assertEquals(
        "installSnapshot",
        assertThrows(IOException.class, () -> gated.installSnapshot(chunk)).getMessage());
    assertEquals(0, forced.get(), "nothing was received");
    hasRoom.set(true);
    assertSame(received, gated.installSnapshot(chunk));
    assertEquals(1, forced.get());
    failed.set(true);
    assertThrows(IOException.class, () -> gated.appendEntriesAsync(heartbeat));
    RequestVoteRequestProto vote = RequestVoteRequestProto.getDefaultInstance();
    assertEquals(
        "this member has failed",
        assertThrows(IOException.class, () -> gated.requestVote(vote)).getMessage());
  }
}
