package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** The requested backups. They run one after another, while no compaction runs. */
final class BackupQueue<K, V> {
  @GuardedBy("this")
  private final Deque<BackupTask<K, V>> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private @Nullable BackupTask<K, V> current;

  @GuardedBy("this")
  private boolean stopped;

  private @Nullable Throwable broken; // why the current one ends; only the stepping thread uses it

  synchronized CompletableFuture<Void> request(BackupTask<K, V> backup) {
    if (stopped) {
      throw new IllegalStateException("the log is closed");
    }
    waiting.add(backup);
    return backup.done();
  }

  synchronized boolean isUnderWay() {
    return current != null;
  }

  /** Whether a backup has work now. A compaction that is due goes before a new backup. */
  synchronized boolean isNext(boolean compactionIsDue) {
    if (current == null && !compactionIsDue) {
      current = waiting.poll();
    }
    return current != null;
  }

  private synchronized @Nullable BackupTask<K, V> current() {
    return current;
  }

  private synchronized void end() {
    current = null;
  }

  /** Does one piece of the current backup, and answers whether there was any work. */
  boolean step(BackupTask.DiskWork disk) throws IOException {
    BackupTask<K, V> backup = current();
    if (backup == null) {
      return false;
    }
    if (broken == null) {
      try {
        boolean moved = backup.step(disk);
        if (backup.hasEnded()) {
          end();
        }
        return moved;
      } catch (LogClosingException stop) {
        throw stop; // stop() aborts the backup
      } catch (IOException | RuntimeException | Error thrown) {
        broken = thrown; // a store: without memory for the rest, the next step does it
      }
    }
    Throwable cause = broken;
    disk.run(() -> backup.abort(cause));
    broken = null;
    end();
    return false;
  }

  /**
   * Aborts all backups, finished or not. The caller ensures that no thread works on the disk any
   * more.
   */
  void stop() {
    synchronized (this) {
      stopped = true;
      if (current != null) {
        waiting.addFirst(current);
        current = null;
      }
    }
    for (BackupTask<K, V> backup = next(); backup != null; backup = next()) {
      backup.abort(new IllegalStateException("the log was closed"));
    }
  }

  private synchronized @Nullable BackupTask<K, V> next() {
    return waiting.poll();
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
