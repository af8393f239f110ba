package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Replaces the history by a base of the live entries, while the log is in use. */
final class Compactor<K, V> implements Runnable {
  // Why a base and its tail give the exact map:
  // - A change is appended while its node is in the table and changing. A batch is one frame,
  //   appended while all of its nodes are changing. The base's position S lies between frames, so
  //   it divides no batch.
  // - So the walk sees every change appended before S, unless a later change replaced it.
  // - Recovery replays every change appended after S, after the base.
  // - The walk may meet later changes, too. It leaves out an entry whose version lies beyond S,
  //   since recovery replays that change. An entry that was overwritten or removed is missing.
  // - So base and tail are exact if the tail reaches at least to the log's end at the end of the
  //   walk. Hence the base gets its name only when the log is forced up to there.
  //
  // Order of effects: entries, footer, force; log forced to the end of the walk; rename; folder
  // forced; old bases and segments deleted. After a crash between any two of these, the folder
  // gives the same history.
  //
  // Only the thread in run() works. It touches the disk only inside onDisk(), piece by piece.
  // stop() waits for one piece, and never for a locked key or a pause.

  private static final long REST_NANOS_MIN = 5_000_000;
  private static final long REST_NANOS_MAX = 160_000_000;
  private static final long CATCH_UP_NANOS_MAX = 2_000_000_000;
  private static final long CAUGHT_UP_BYTES_MAX = 16 << 20;
  private static final SecureRandom SALTS = new SecureRandom();

  private enum Phase {
    RESTING,
    WALKING,
    AWAITING_FORCE,
    ENDED
  }

  private final LogParts log;
  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final LiveEntries<K, V> live;

  private Phase phase = Phase.RESTING;
  private LiveEntries.@Nullable Walk<K, V> walk; // present when WALKING or AWAITING_FORCE
  private @Nullable Iterator<LiveEntries.LiveEntry<K, V>> entries; // present when WALKING
  private long walkEnd; // when AWAITING_FORCE: the log's end at the end of the walk
  private long notBeforeNanos; // when WALKING: the end of a pause

  private @Nullable Throwable broken; // why a compaction failed that is still to be aborted

  private long startNanos; // when WALKING or AWAITING_FORCE
  private long lastEnd;
  private long restNanos = REST_NANOS_MIN;
  private long failedNanos;
  private volatile LogSize extent; // only run()'s thread stores it and the next one
  private volatile CompactionStatistics tally = CompactionStatistics.NONE;

  private final BackupQueue<K, V> backups = new BackupQueue<>();
  private @Nullable BaseWriter base; // changed inside onDisk() only, or by stop()

  @GuardedBy("this")
  private final List<CompletableFuture<Void>> requests = new ArrayList<>();

  @GuardedBy("this")
  private List<CompletableFuture<Void>> served = List.of();

  @GuardedBy("this")
  private boolean onDisk;

  @GuardedBy("this")
  private boolean stopped;

  private volatile @Nullable Thread thread;

  Compactor(
      LogParts log, Codec<K> keyCodec, Codec<V> valueCodec, LiveEntries<K, V> live, LogSize begun) {
    this.log = log;
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.live = live;
    this.extent = begun;
    log.throttle().freeUntil(extent.freeUntilBegun(settings()));
  }

  /** Requests a compaction. The future completes when one that begins from now on has ended. */
  CompletableFuture<Void> request() {
    live.checkNotWithinFunction(); // since the caller waits for the compaction
    CompletableFuture<Void> done = new CompletableFuture<>();
    synchronized (this) {
      if (stopped) {
        throw new IllegalStateException("the log is closed");
      }
      requests.add(done);
    }
    LockSupport.unpark(thread);
    return done;
  }

  /** Requests a backup. The future completes when the backup to this folder has ended. */
  CompletableFuture<Void> requestBackup(Path target) {
    CompletableFuture<Void> done =
        backups.request(new BackupTask<>(log, keyCodec, valueCodec, live, target));
    LockSupport.unpark(thread);
    return done;
  }

  @Override
  public void run() {
    thread = Thread.currentThread();
    log.throttle().compactor(Thread.currentThread());
    while (!isStopped()) {
      try {
        if (!step()) {
          awaitWork();
        }
      } catch (RuntimeException | Error noMemory) {
        // The next step does what this one could not: see step().
      }
    }
  }

  private synchronized boolean isStopped() {
    return stopped;
  }

  /** Does one piece of the work that is due, and answers whether there was any. */
  boolean step() {
    try {
      if (broken != null) {
        abort(broken);
        return false;
      }
      return switch (phase) {
        case RESTING -> backups.isNext(isDue()) ? backUp() : begin();
        case WALKING -> walkMore();
        case AWAITING_FORCE -> replaceIfForced();
        case ENDED -> false;
      };
    } catch (LogClosingException stop) {
      phase = Phase.ENDED;
      return false;
    } catch (IOException | RuntimeException | Error thrown) {
      return abortAfter(thrown);
    }
  }

  // Record the failure first, by a store. Without memory for the rest, the next step does it.
  private boolean abortAfter(Throwable thrown) {
    broken = thrown;
    log.throttle().freeUntil(Long.MAX_VALUE);
    try {
      abort(thrown);
    } catch (RuntimeException | Error noMemory) {
      // The next step does it.
    }
    return false;
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
    return extent.hasTooManyFiles(settings())
        && extent.baseBytes() + extent.logBytes(log.ring().end()) <= CAUGHT_UP_BYTES_MAX;
  }

  private void stepUntilCaughtUp() {
    long start = System.nanoTime();
    while (mustCatchUp() && tally.failed() == 0 && System.nanoTime() - start < CATCH_UP_NANOS_MAX) {
      if (!step()) {
        LockSupport.parkNanos(this, REST_NANOS_MIN / 5);
      }
    }
  }

  // Compactions wait during a backup, so no writer is slowed down for outrunning one.
  private boolean backUp() throws IOException {
    log.throttle().freeUntil(Long.MAX_VALUE);
    boolean moved = backups.step(this::onDisk);
    if (!backups.isUnderWay() && tally.backOffNanos() == 0) {
      log.throttle().freeUntil(extent.freeUntilBegun(settings()));
    }
    return moved;
  }

  private boolean begin() throws IOException {
    if (!takeRequests() && !isDue()) {
      return false;
    }
    startNanos = log.nanoTime().getAsLong();
    LiveEntries.Walk<K, V> newWalk = live.walk();
    long position = log.ring().end();
    log.throttle().freeUntil(extent.freeUntil(position, 0, settings()));
    entries = newWalk.coldestFirst();
    walk = newWalk;
    onDisk(() -> base = BaseWriter.create(log.directory(), position, SALTS.nextLong()));
    notBeforeNanos = log.nanoTime().getAsLong();
    phase = Phase.WALKING;
    return true;
  }

  private synchronized boolean takeRequests() {
    if (requests.isEmpty()) {
      return false;
    }
    served = new ArrayList<>(requests);
    requests.clear();
    return true;
  }

  private boolean isDue() {
    boolean backsOff = log.nanoTime().getAsLong() - failedNanos < tally.backOffNanos();
    return !backsOff && !log.ring().isSealed() && extent.isDue(log.ring().end(), settings());
  }

  private LogSettings.Compaction settings() {
    return log.settings().compaction();
  }

  private boolean walkMore() throws IOException {
    long now = log.nanoTime().getAsLong();
    if (now - notBeforeNanos < 0) {
      return false;
    }
    BaseWriter writer = required(base);
    boolean isEnd =
        writer.addUntil(settings().batchBytes(), required(entries), keyCodec, valueCodec);
    int bytes = writer.buffered();
    onDisk(
        () -> {
          checkFreeSpace();
          writer.write();
        });
    if (isEnd) {
      entries = null;
      walkEnd = log.ring().end();
      phase = Phase.AWAITING_FORCE;
      log.logWriter().forceUpTo(walkEnd);
    } else if (extent.isAhead(writer.position(), log.ring().end(), writer.bytes(), settings())) {
      notBeforeNanos = now + (long) (1e9 * bytes / settings().bytesPerSecond());
    }
    log.throttle().freeUntil(extent.freeUntil(writer.position(), writer.bytes(), settings()));
    return true;
  }

  // A base frees space in the end, so it may use half of the reserve.
  private void checkFreeSpace() throws IOException {
    log.space().refresh();
    long needed = log.space().reserveBytes() / 2;
    if (log.space().freeBytes() < needed) {
      throw new IOException("less than " + needed + " bytes left on the disk");
    }
  }

  private boolean replaceIfForced() throws IOException {
    log.durablePosition().checkNotFailed();
    if (log.durablePosition().durable() < walkEnd) {
      return false;
    }
    onDisk(() -> required(base).finish(walkEnd));
    onDisk(this::replace);
    onDisk(() -> log.directory().deleteBefore(extent.countedFrom()));
    tally = tally.success(log.nanoTime().getAsLong() - startNanos);
    complete(null);
    return true;
  }

  private void replace() throws IOException {
    LiveEntries.Walk<K, V> ended = required(walk);
    BaseWriter written = required(base);
    if (!ended.beforeSwitch()) {
      throw new LogClosingException();
    }
    log.logWriter().confirmFolder();
    written.rename();
    forceDirectory();
    ended.afterSwitch(written.position());
    base = null;
    walk = null;
    phase = Phase.RESTING;
    extent = new LogSize(written.bytes(), 0, written.position(), 0);
    log.throttle().freeUntil(extent.freeUntilBegun(settings()));
    written.close();
  }

  // The log writer forces the folder, too, and the disk may report an error to only one of the two.
  private void forceDirectory() throws IOException {
    try {
      log.directory().forceFolder();
    } catch (IOException broken) {
      log.logWriter().failWith(broken);
      throw broken;
    }
  }

  private static <T> T required(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("not in this phase");
    }
    return value;
  }

  private void onDisk(BackupTask.Work work) throws IOException {
    synchronized (this) {
      if (stopped) {
        throw new LogClosingException();
      }
      onDisk = true;
    }
    try {
      work.run();
    } finally {
      synchronized (this) {
        onDisk = false;
        notifyAll();
      }
    }
  }

  /** Aborts a compaction. A failed base does no harm: the log only grows on. */
  private void abort(Throwable cause) {
    phase = Phase.RESTING;
    walk = null;
    entries = null;
    failedNanos = log.nanoTime().getAsLong();
    try {
      onDisk(this::discard);
    } catch (LogClosingException stop) {
      // Then stop() discards the base.
    } catch (IOException alsoBroken) {
      cause.addSuppressed(alsoBroken);
    }
    tally = tally.failure(cause);
    complete(cause);
    broken = null;
    if (log.durablePosition().failure() == null) { // else the log has reported its own failure
      log.operator().backsOff(log.directory().folder(), cause, tally.backOffNanos());
    }
  }

  private void discard() throws IOException {
    BaseWriter unfinished = base;
    base = null;
    if (unfinished != null) {
      try {
        unfinished.close();
      } finally {
        log.directory().disk().delete(BaseWriter.temporary(log.directory()));
      }
    }
  }

  private void complete(@Nullable Throwable cause) {
    List<CompletableFuture<Void>> ended;
    synchronized (this) {
      ended = served;
      served = List.of();
    }
    for (CompletableFuture<Void> request : ended) {
      if (cause == null) {
        request.complete(null);
      } else {
        request.completeExceptionally(cause);
      }
    }
  }

  /** The counts and results of compactions so far. */
  CompactionStatistics tally() {
    return tally;
  }

  /** The lengths of base and log. */
  LogSize extent() {
    return extent;
  }

  /** Ends a compaction that is running. Waits for one piece of its work at most. */
  void stop() {
    boolean interrupted = false;
    synchronized (this) {
      stopped = true;
      while (onDisk) {
        try {
          wait();
        } catch (InterruptedException goOnWaiting) {
          interrupted = true;
        }
      }
      requests.addAll(served);
      served = new ArrayList<>(requests);
    }
    try {
      discard();
    } catch (IOException leftToTheNextStart) {
      // The next opening ignores the temporary file, and deletes it.
    }
    backups.stop();
    complete(new IllegalStateException("the log was closed"));
    log.throttle().freeUntil(Long.MAX_VALUE);
    LockSupport.unpark(thread);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitWork() {
    long end = log.ring().end();
    boolean isIdle = phase == Phase.RESTING && !backups.isUnderWay() && end == lastEnd;
    lastEnd = end;
    restNanos = isIdle ? Math.min(2 * restNanos, REST_NANOS_MAX) : REST_NANOS_MIN;
    boolean pauses = phase == Phase.WALKING;
    LockSupport.parkNanos(this, pauses ? notBeforeNanos - log.nanoTime().getAsLong() : restNanos);
  }
}
