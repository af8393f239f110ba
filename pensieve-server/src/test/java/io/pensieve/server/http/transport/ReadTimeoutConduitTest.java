package io.pensieve.server.http.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xnio.ChannelPipe;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.ReadTimeoutException;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.StreamSourceConduit;

/** Connections of one I/O thread, so their timers are due in the order in which they began. */
final class ReadTimeoutConduitTest {
  private static final long SHORT_MILLIS = 100;
  private static final long LONG_MILLIS = TimeUnit.HOURS.toMillis(1);
  private static final long PATIENCE_SECONDS = 120;

  private XnioWorker worker;

  @BeforeEach
  void start() throws Exception {
    OptionMap one = OptionMap.create(Options.WORKER_IO_THREADS, 1);
    worker = Xnio.getInstance().createWorker(one);
  }

  @AfterEach
  void stop() {
    worker.shutdownNow();
  }

  @Test
  void whoIsSilentIsCutOffAndItsReaderGetsAnException() throws Exception {
    Client silent = new Client(SHORT_MILLIS);
    silent.expect();
    assertThrows(ReadTimeoutException.class, silent::awaitRead);
    silent.awaitClosed();
  }

  @Test
  void whoSendsIsReadAndThenCutOffForItsSilence() throws Exception {
    Client client = new Client(LONG_MILLIS);
    client.expect();
    client.send();
    assertEquals(1, client.awaitRead());
  }

  @Test
  void nobodyIsCutOffWhoIsNotExpectedToSend() throws Exception {
    Client suspended = new Client(SHORT_MILLIS);
    suspended.expect();
    suspended.onIoThread(suspended.conduit::suspendReads);
    awaitTimeoutOfAnother();
    assertTrue(suspended.near.isOpen());
    suspended.expect();
    suspended.awaitClosed();
  }

  @Test
  void whoMayBeSilentIsNotCutOffBeforeItMayNotAnyMore() throws Exception {
    Client waiting = new Client(SHORT_MILLIS);
    waiting.expect();
    waiting.onIoThread(() -> waiting.conduit.mayBeSilent(true));
    awaitTimeoutOfAnother();
    awaitTimeoutOfAnother();
    assertTrue(waiting.near.isOpen());
    waiting.onIoThread(() -> waiting.conduit.mayBeSilent(false));
    waiting.awaitClosed();
  }

  @Test
  void suspendedReadsAreSuspendedBelowWhenSomethingComes() throws Exception {
    Client client = new Client(LONG_MILLIS);
    client.expect();
    client.onIoThread(client.conduit::suspendReads);
    assertFalse(client.conduit.isReadResumed());
    assertTrue(client.below.isReadResumed());
    CompletableFuture<Void> suspending = new CompletableFuture<>();
    client.below.beforeSuspending = () -> suspending.complete(null);
    client.send();
    suspending.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    client.onIoThread(() -> assertFalse(client.below.isReadResumed()));
    assertFalse(client.firstRead.isDone());
    client.expect();
    assertEquals(1, client.awaitRead());
  }

  @Test
  void readsThatAnotherThreadResumesMeanwhileAreNotSuspendedBelow() throws Exception {
    Client client = new Client(LONG_MILLIS);
    client.expect();
    client.onIoThread(client.conduit::suspendReads);
    client.below.beforeSuspending =
        () -> CompletableFuture.runAsync(client.conduit::resumeReads).join();
    client.send();
    assertEquals(1, client.awaitRead());
  }

  @Test
  void aConnectionThatIsClosedLeavesNoTimerThatKeepsIt() throws Exception {
    WeakReference<ReadTimeoutConduit> left = closed();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (left.get() != null && System.nanoTime() < deadline) {
      System.gc();
      new Client(LONG_MILLIS).close(); // the thread forgets which key it looked at last
    }
    assertNull(left.get());
  }

  private WeakReference<ReadTimeoutConduit> closed() throws Exception {
    Client client = new Client(LONG_MILLIS);
    client.expect();
    client.close();
    return new WeakReference<>(client.conduit);
  }

  private void awaitTimeoutOfAnother() throws Exception {
    Client other = new Client(SHORT_MILLIS);
    other.expect();
    other.awaitClosed();
  }

  /** What the conduit stands on, where a test may come between. */
  private static final class Below extends AbstractStreamSourceConduit<StreamSourceConduit> {
    volatile Runnable beforeSuspending = () -> {};

    Below(StreamSourceConduit next) {
      super(next);
    }

    @Override
    public void suspendReads() {
      beforeSuspending.run();
      super.suspendReads();
    }
  }

  /** Two ends of a pipe: the near one has a timeout. */
  private final class Client {
    final StreamConnection near;
    final StreamConnection far;
    final Below below;
    final ReadTimeoutConduit conduit;
    private final CompletableFuture<Integer> firstRead = new CompletableFuture<>();
    private final CompletableFuture<Void> closing = new CompletableFuture<>();

    Client(long timeoutMillis) throws IOException {
      ChannelPipe<StreamConnection, StreamConnection> pipe =
          worker.createFullDuplexPipeConnection();
      near = pipe.getLeftSide();
      far = pipe.getRightSide();
      below = new Below(near.getSourceChannel().getConduit());
      near.getSourceChannel().setConduit(below);
      conduit = new ReadTimeoutConduit(near, timeoutMillis);
      near.getSourceChannel().setConduit(conduit);
      near.getSourceChannel().setReadListener(channel -> read());
      near.setCloseListener(channel -> closing.complete(null));
    }

    private void read() {
      try {
        firstRead.complete(near.getSourceChannel().read(ByteBuffer.allocate(1)));
      } catch (IOException refused) {
        firstRead.completeExceptionally(refused);
      }
    }

    void expect() throws Exception {
      onIoThread(near.getSourceChannel()::resumeReads);
    }

    void send() throws IOException {
      assertEquals(1, far.getSinkChannel().write(ByteBuffer.wrap(new byte[] {1})));
    }

    void close() throws Exception {
      onIoThread(() -> IoUtils.safeClose(near, far));
    }

    void onIoThread(Runnable task) throws Exception {
      XnioIoThread thread = near.getIoThread();
      CompletableFuture.runAsync(task, thread).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    int awaitRead() throws Exception {
      try {
        return firstRead.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      } catch (java.util.concurrent.ExecutionException refused) {
        throw (Exception) refused.getCause();
      }
    }

    void awaitClosed() throws Exception {
      closing.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
  }
}
