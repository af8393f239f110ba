package io.pensieve.replication.ratis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.ratis.server.RaftServer;

/**
 * Closes a server of Ratis in bounded time: a process that is told to end must end.
 *
 * <p>Ratis (3.3.0) closes its log under the log's lock, and waits there for the thread that evicts
 * cached entries. That thread may be waiting for the lock, and then neither ever ends. So we end
 * the thread first.
 *
 * <p>If anything else takes too long, the server is abandoned. Nothing is lost: the end of the
 * process is then like a crash. We do not interrupt the closing. Ratis would go on without waiting
 * for the thread that writes the log, and free the memory that it writes from.
 */
final class ServerClosing {
  private static final String CACHE_EVICTION = "-cacheEviction-";

  private final EngineThreads threads;
  private final FutureTask<Boolean> task;

  ServerClosing(RaftServer server, EngineThreads threads) {
    this.threads = threads;
    this.task =
        new FutureTask<>(
            () -> {
              threads.end(CACHE_EVICTION);
              server.close();
              return true;
            });
  }

  /** Closes the server, or abandons it. An interrupt does not shorten that. */
  void run(long patienceMillis) {
    Thread thread = new Thread(task, threads.getName() + "-close");
    thread.setDaemon(true);
    thread.start();
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(patienceMillis);
    boolean interrupted = false;
    try {
      while (!task.isDone()) {
        try {
          boolean unused = task.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException goOnWaiting) {
          interrupted = true;
        }
      }
    } catch (TimeoutException abandoned) {
      // The caller asks.
    } catch (ExecutionException failed) {
      throw new UncheckedIOException(
          new IOException("the consensus engine could not be closed", failed.getCause()));
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Whether the server is closed. If not, it is abandoned, and its threads may go on. */
  boolean hasEnded() {
    return task.isDone();
  }
}
