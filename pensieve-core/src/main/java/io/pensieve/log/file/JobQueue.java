package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The job that runs, and the requested ones that wait for it to end. */
final class JobQueue {
  private final Function<List<CompletableFuture<Void>>, Job> newCompaction;

  @GuardedBy("this")
  private final List<CompletableFuture<Void>> compactionRequests = new ArrayList<>();

  @GuardedBy("this")
  private final Deque<Job> backups = new ArrayDeque<>();

  @GuardedBy("this")
  private @Nullable Job current;

  @GuardedBy("this")
  private boolean closed;

  /** Creates a compaction by this function, with the requests that it serves. */
  JobQueue(Function<List<CompletableFuture<Void>>, Job> newCompaction) {
    this.newCompaction = newCompaction;
  }

  /** Requests a compaction that begins from now on. */
  synchronized CompletableFuture<Void> requestCompaction() {
    checkNotClosed();
    CompletableFuture<Void> done = new CompletableFuture<>();
    compactionRequests.add(done);
    return done;
  }

  synchronized void addBackup(Job backup) {
    checkNotClosed();
    backups.add(backup);
  }

  @GuardedBy("this")
  private void checkNotClosed() {
    if (closed) {
      throw new IllegalStateException("the log is closed");
    }
  }

  synchronized @Nullable Job current() {
    return current;
  }

  /** The current job, or else the next one. A due compaction goes first, then backups. */
  synchronized @Nullable Job next(boolean compactionIsDue) {
    if (current == null && !closed) {
      boolean isRequested = backups.isEmpty() && !compactionRequests.isEmpty();
      current = compactionIsDue || isRequested ? compaction() : backups.poll();
    }
    return current;
  }

  @GuardedBy("this")
  private Job compaction() {
    Job compaction = newCompaction.apply(List.copyOf(compactionRequests));
    compactionRequests.clear(); // last: without memory for the job, the requests stay
    return compaction;
  }

  synchronized void end() {
    current = null;
  }

  /**
   * Ends all jobs. May be repeated after an error. The caller ensures that no thread works on the
   * disk any more.
   */
  void close() {
    for (Job job = closeNext(); job != null; job = closeNext()) {
      IllegalStateException cause = new IllegalStateException("the log was closed");
      try {
        job.discard();
      } catch (IOException remains) { // of a base: the next opening deletes its temporary file
        cause.addSuppressed(remains);
      } finally {
        job.complete(cause);
      }
    }
  }

  private synchronized @Nullable Job closeNext() {
    closed = true;
    Job next = current;
    if (next == null) {
      next = compactionRequests.isEmpty() ? backups.poll() : compaction();
    }
    current = null;
    return next;
  }

  /** Waits for a request, and translates its failure into the exception for the caller. */
  static void await(CompletableFuture<Void> request, String refusal) {
    try {
      request.join();
    } catch (CompletionException refused) {
      Throwable cause = refused.getCause();
      if (cause instanceof IOException broken) {
        throw new UncheckedIOException(refusal + ": " + broken, broken);
      } else if (cause instanceof LogException broken) {
        throw broken;
      } else if (cause instanceof IllegalArgumentException notEmpty) {
        throw notEmpty;
      } else if (cause instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(refusal, refused);
    } catch (CancellationException byACodec) {
      throw new IllegalStateException(refusal, byACodec);
    }
  }
}
