package io.pensieve.log.file;

import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Runs compactions when they are due, and those and backups that are requested, one at a time. */
final class Compactor<K, V> implements Runnable {
  // Only the thread in run() works. It touches the disk only through the gate, piece by piece.
  // stop() waits for one piece, and never for a locked key or a pause.

  private static final long REST_NANOS_MIN = 5_000_000;
  private static final long REST_NANOS_MAX = 160_000_000;
  private static final long CATCH_UP_NANOS_MAX = 2_000_000_000;
  private static final long CAUGHT_UP_BYTES_MAX = 16 << 20;

  private final LogParts log;
  private final EntryWalk.Source<K, V> source;
  private final CompactionSchedule schedule;
  private final JobQueue jobs;
  private final DiskGate disk;

  // Its thread's own.
  private @Nullable Throwable broken; // why a job failed that is still to be aborted
  private boolean isClosing; // nothing more begins
  private long lastEnd;
  private long restNanos = REST_NANOS_MIN;

  private volatile @Nullable Thread thread;

  Compactor(
      LogParts log, Codec<K> keyCodec, Codec<V> valueCodec, LiveEntries<K, V> live, LogSize begun) {
    this.log = log;
    this.source = new EntryWalk.Source<>(live, keyCodec, valueCodec);
    this.schedule = new CompactionSchedule(log, begun);
    this.jobs = new JobQueue(requests -> new CompactionJob<>(log, schedule, source, requests));
    this.disk = new DiskGate(this::updateThrottle);
    updateThrottle();
  }

  /** Requests a compaction. The future completes when one that begins from now on has ended. */
  CompletableFuture<Void> request() {
    source.entries().checkNotWithinFunction(); // since the caller waits for the compaction
    CompletableFuture<Void> done = jobs.requestCompaction();
    LockSupport.unpark(thread);
    return done;
  }

  /** Requests a backup. The future completes when the backup to this folder has ended. */
  CompletableFuture<Void> requestBackup(Path target) {
    BackupJob<K, V> backup = new BackupJob<>(log, source, target);
    jobs.addBackup(backup);
    LockSupport.unpark(thread);
    return backup.done();
  }

  @Override
  public void run() {
    thread = Thread.currentThread();
    log.throttle().compactor(Thread.currentThread());
    while (!disk.isClosed()) {
      try {
        if (!step()) {
          awaitWork();
        }
      } catch (RuntimeException | Error noMemory) {
        // The next step does what this one could not: see step().
      }
    }
    log.throttle().freeUntil(Long.MAX_VALUE); // stop() did so, perhaps during the last step
  }

  /** Does one piece of the work that is due, and answers whether there was any. */
  boolean step() {
    try {
      return broken == null && work();
    } catch (DiskGate.ClosedException stop) {
      isClosing = true; // stop() discards the job
      return false;
    } catch (IOException | RuntimeException | Error thrown) {
      broken = thrown; // a store: without memory for the rest, the next step does it
      return false;
    } finally {
      abortIfBroken();
      updateThrottle();
    }
  }

  private void abortIfBroken() {
    Throwable cause = broken;
    if (cause != null) {
      try {
        abort(cause);
      } catch (RuntimeException | Error noMemory) {
        // The next step does it.
      }
    }
  }

  private boolean work() throws IOException {
    Job job = isClosing ? null : jobs.next(schedule.isDue());
    if (job == null) {
      return false;
    }
    boolean moved = job.step(disk);
    if (job.hasEnded()) {
      jobs.end();
    }
    return moved;
  }

  private void updateThrottle() {
    log.throttle().freeUntil(freeUntil());
  }

  // Writers are slowed down for a compaction that they outrun, or that is to begin soon. If none
  // can begin, slowing them down would gain nothing.
  private long freeUntil() {
    if (broken != null || isClosing || disk.isClosed()) {
      return Long.MAX_VALUE;
    }
    Job job = jobs.current();
    return job == null ? schedule.freeUntilBegun() : job.freeUntil();
  }

  /** Aborts the current job. A failed base does no harm: the log only grows on. */
  private void abort(Throwable cause) {
    Job failed = jobs.current();
    try {
      if (failed != null) {
        disk.run(failed::discard);
      }
    } catch (DiskGate.ClosedException stop) {
      isClosing = true; // stop() discards the job
    } catch (IOException alsoBroken) {
      cause.addSuppressed(alsoBroken);
    }
    boolean isCompaction = !(failed instanceof BackupJob); // none: it failed before it began
    if (isCompaction) {
      schedule.failed(cause);
    }
    if (failed != null) {
      failed.complete(cause);
      jobs.end();
    }
    broken = null;
    if (isCompaction && log.durablePosition().failure() == null) { // else the log reports its own
      long nanos = schedule.statistics().backOffNanos();
      log.operator().backsOff(log.directory().folder(), cause, nanos);
    }
  }

  /** Compacts a short log with too many files at once, before the map is used. */
  void catchUp() {
    if (mustCatchUp()) {
      UninterruptibleThread catchingUp =
          new UninterruptibleThread("pensieve-compactor", this::stepUntilCaughtUp);
      catchingUp.start();
      catchingUp.await();
    }
  }

  private boolean mustCatchUp() {
    return schedule.hasTooManyFiles(CAUGHT_UP_BYTES_MAX);
  }

  private void stepUntilCaughtUp() {
    long start = System.nanoTime();
    while (mustCatchUp()
        && schedule.statistics().failed() == 0
        && System.nanoTime() - start < CATCH_UP_NANOS_MAX) {
      if (!step()) {
        LockSupport.parkNanos(this, REST_NANOS_MIN / 5);
      }
    }
  }

  /** What is due, and what came of it so far. */
  CompactionSchedule schedule() {
    return schedule;
  }

  /** Ends all jobs. Waits for one piece of work at most. */
  void stop() {
    disk.close();
    jobs.close();
    log.throttle().freeUntil(Long.MAX_VALUE);
    LockSupport.unpark(thread);
  }

  private void awaitWork() {
    long end = log.ring().end();
    Job job = jobs.current();
    boolean isIdle = job == null && end == lastEnd;
    lastEnd = end;
    restNanos = isIdle ? Math.min(2 * restNanos, REST_NANOS_MAX) : REST_NANOS_MIN;
    long pauseNanos = job == null ? 0 : job.notBeforeNanos() - log.nanoTime().getAsLong();
    LockSupport.parkNanos(this, pauseNanos > 0 ? pauseNanos : restNanos);
  }
}
