package io.pensieve.log.file;

import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The only thread that writes segments: moves frames from the ring to the disk, and forces them.
 */
final class LogWriter implements Runnable {
  // Only the thread in run() touches the segment, so no caller's interrupt can close its file. Its
  // order of effects: write, release ring space, force, publish the durable position, wake its
  // waiters, then wake the streams. A frame stays in the ring until it is in a segment. So when the
  // process dies, every committed frame is in one of them.
  //
  // run() continues after any exception. There are two cases:
  // 1. The step can be repeated as a whole: finished parts are done again, or found done.
  // 2. The exception came from within a force, whose outcome is unknown. Then the log fails.
  // Failing is a store. Without memory for a new exception it stores one that was created ahead.
  // The log writer repeats what follows (waking, closing) until it succeeds.

  private static final int BATCH_BYTES_MAX = 1 << 20;
  private static final long FORCE_NANOS = 100_000_000;
  // Force earlier if many bytes are unforced: meanwhile writers continue, until the ring is full.
  private static final int FORCE_BYTES = 4 << 20;
  // Write less than this many bytes only after a rest of so long, where nobody waits for a write.
  private static final int COLLECTED_BYTES = 512 << 10;
  private static final long COLLECT_NANOS = 1_000_000;
  private static final long SPIN_NANOS = 20_000;
  private static final long IDLE_NANOS_MIN = 1_000_000;
  private static final long IDLE_NANOS_MAX = 10_000_000;
  private static final int WIND_DOWN_ATTEMPTS = 100; // then files stay open; all else is done
  private static final int REPORT_ATTEMPTS = 50; // of the failure, while there is no memory
  private static final long REPORT_RETRY_NANOS = 100_000_000;

  private final LogDirectory directory;
  private final Disk.Lock lock;
  private final WriteRetryPolicy policy;
  private final SegmentRoller roller;
  private final HoleFiller holeFiller;
  private final RingBuffer ring;
  private final long salt;
  private final boolean forcesEach; // a change is acknowledged once it is forced
  private final DurablePosition durablePosition;
  private final FutureCompleter completer;
  private final HighWatermark watermark;
  private final LongSupplier nanoTime;
  private final OperatorLog operator;
  private final LogException.Failed withoutReason;

  // The log writer's own.
  private Segment segment;
  private long written;
  private long lastForceNanos;
  private long lastSpaceCheckNanos;
  private long idleNanos = IDLE_NANOS_MIN;
  private boolean isForcing; // or the log is lost: any exception now is final
  private @Nullable Throwable failedOf;
  private int windDowns;
  private boolean isReported;

  // The log writer stores these, other threads read them.
  private volatile @Nullable Thread thread;
  private volatile boolean parked;
  private volatile boolean finished;
  private final ForceTimes forces = new ForceTimes();

  // Only the compactor stores these.
  private volatile long forceUpTo;
  private volatile @Nullable IOException brokenElsewhere;

  LogWriter(
      LogDirectory directory,
      FreeSpace space,
      Disk.Lock lock,
      EndOfRecovery.StartingPoint start,
      LogSettings settings,
      DurablePosition durablePosition,
      FutureCompleter completer,
      HighWatermark watermark,
      LongSupplier nanoTime,
      Executor background,
      OperatorLog operator) {
    this.directory = directory;
    this.lock = lock;
    this.policy = new WriteRetryPolicy(space);
    this.ring = start.ring();
    this.holeFiller = new HoleFiller(ring);
    this.salt = start.salt();
    this.segment = start.segment();
    this.forcesEach = settings.durability() == Durability.POWER_CUT;
    this.durablePosition = durablePosition;
    this.completer = completer;
    this.watermark = watermark;
    this.nanoTime = nanoTime;
    this.operator = operator;
    this.roller = new SegmentRoller(directory, salt, settings, background);
    this.withoutReason =
        new LogException.Failed(
            directory.folder() + ": the log failed for want of memory, and takes no more writes",
            null);
    this.written = ring.released();
    this.lastForceNanos = nanoTime.getAsLong();
    this.lastSpaceCheckNanos = lastForceNanos - FORCE_NANOS;
  }

  boolean acceptsPuts() {
    return policy.acceptsPuts();
  }

  /** Describes why puts are refused; null if they are accepted. For any thread. */
  @Nullable String putRefusal() {
    return policy.describe();
  }

  /** Whether everything is written and forced and the segment is closed, or the log has failed. */
  boolean isFinished() {
    return finished;
  }

  /** Makes the log fail, because something that its files depend on is broken. */
  void failWith(IOException broken) {
    brokenElsewhere = broken;
  }

  /** Throws if the folder no longer belongs to this log. For any thread. */
  void confirmFolder() throws IOException {
    lock.confirm();
  }

  /** Asks the log writer to force up to this position. For one thread only: the compactor's. */
  void forceUpTo(long position) {
    forceUpTo = position;
    wake();
  }

  /** The number of forces, and their times. For any thread. */
  ForceTimes forces() {
    return forces;
  }

  @Override
  public void run() {
    thread = Thread.currentThread();
    while (!finished) {
      try {
        if (step()) {
          awaitMore();
        } else {
          awaitWork();
        }
      } catch (RuntimeException | Error noMemory) {
        // The next step does what this one could not: see step().
      }
    }
    for (int i = 0; i < REPORT_ATTEMPTS && !reportFailure(); i++) {
      LockSupport.parkNanos(this, REPORT_RETRY_NANOS);
    }
  }

  /** Does the work that is due now, and answers whether there was any. */
  boolean step() {
    try {
      return durablePosition.failure() == null ? work() : windDown();
    } catch (IOException | RuntimeException | Error broken) {
      if (durablePosition.failure() == null && isFinal(broken)) {
        fail(broken);
      }
      return false;
    }
  }

  private boolean work() throws IOException {
    IOException broken = brokenElsewhere;
    if (broken != null) {
      isForcing = true; // as the compactor's force of the folder was
      throw broken;
    }
    long now = nanoTime.getAsLong();
    refreshFreeSpace(now);
    boolean moved = transfer(now);
    boolean forced = forceIfDue(now);
    if (durablePosition.hasNewWaiters()) {
      durablePosition.wakeReached();
    }
    completer.ensureRunning(now);
    watermark.wakeIfMoved();
    if (!moved && ring.isSealed() && ring.released() == ring.end()) {
      finish();
    }
    return moved || forced || finished;
  }

  private boolean isFinal(Throwable broken) {
    if (isForcing) {
      return true;
    }
    WriteRetryPolicy.Meaning meaning =
        policy.refused(broken, nanoTime.getAsLong(), ring.isSealed());
    if (meaning == WriteRetryPolicy.Meaning.SHORTAGE) {
      try {
        roller.releaseSpace();
      } catch (RuntimeException | Error noMemory) {
        // The next refusal tries again.
      }
    }
    return meaning == WriteRetryPolicy.Meaning.FINAL;
  }

  private boolean transfer(long now) throws IOException {
    releaseWritten();
    if (policy.isPause(now)) {
      return false;
    }
    int first = ring.committedBytes(written);
    if (first == 0) {
      policy.succeeded();
      return holeFiller.fill(written, durablePosition.durable(), now);
    }
    if (SegmentRoller.isDue(segment, written, first)) {
      roll();
    }
    long bytesMax = Math.max(first, Math.min(BATCH_BYTES_MAX, segment.remainingBytes(written)));
    long end = ring.committedEnd(written, bytesMax);
    segment.write(ring.slices(written, end), written);
    written = end;
    releaseWritten();
    policy.succeeded();
    return true;
  }

  private void releaseWritten() {
    long released = ring.released();
    if (released < written) {
      ring.release(released, written);
    }
  }

  private void refreshFreeSpace(long now) throws IOException {
    if (now - lastSpaceCheckNanos >= FORCE_NANOS) {
      lastSpaceCheckNanos = now;
      lock.renew();
      confirm();
      if (policy.refreshSpace()) {
        roller.releaseSpace();
      }
    }
  }

  private void roll() throws IOException {
    if (durablePosition.durable() < written) {
      force();
    }
    Segment next = roller.begin(written);
    isForcing = true;
    directory.forceFolder();
    Segment old = segment;
    segment = next;
    watermark.newestSegment(written);
    isForcing = false;
    roller.end(old, written);
    roller.prepareNext(policy);
  }

  /** Applies the free space seen so far, from the first put on. Runs before {@link #run}. */
  void begin() {
    policy.begin();
    roller.prepareNext(policy);
  }

  private boolean forceIfDue(long now) throws IOException {
    long unforced = written - durablePosition.durable();
    if (unforced == 0) {
      lastForceNanos = now;
      return false;
    }
    boolean isDue =
        forcesEach
            || unforced >= FORCE_BYTES
            || now - lastForceNanos >= FORCE_NANOS
            || durablePosition.durable() < forceUpTo;
    if (isDue) {
      force();
      lastForceNanos = now;
    }
    return isDue;
  }

  // Confirm the folder after the force. A process that took it earlier may not have read the forced
  // bytes; then confirm() throws. A process that takes it later reads them.
  private void force() throws IOException {
    isForcing = true;
    long begun = nanoTime.getAsLong();
    segment.force();
    isForcing = false;
    long nanos = nanoTime.getAsLong() - begun;
    confirm();
    forces.add(nanos); // counted before any waiter is acknowledged
    ring.forced(written);
    durablePosition.publish(written);
  }

  // A folder that no longer belongs to this log never does again.
  private void confirm() throws IOException {
    try {
      lock.confirm();
    } catch (IOException notOurs) {
      isForcing = true;
      throw notOurs;
    }
  }

  private void finish() throws IOException {
    if (durablePosition.durable() < written) {
      force();
    }
    byte[] marker =
        Format.bareFrame(Format.CLOSE, Format.FRAME_HEADER_BYTES, written, written, salt);
    segment.write(new ByteBuffer[] {ByteBuffer.wrap(marker)}, written);
    segment.trim(written + marker.length);
    isForcing = true;
    segment.force();
    isForcing = false;
    closeFiles();
    durablePosition.publish(Long.MAX_VALUE);
    end();
  }

  private void fail(Throwable broken) {
    failedOf = broken;
    LogException.Failed failed = withoutReason;
    try {
      failed = reason(broken);
    } catch (RuntimeException | Error noMemory) {
      // Then the failure has no reason for now.
    }
    // Store the failure first, then the seal: a refused writer finds the reason.
    durablePosition.fail(failed);
    ring.seal();
    try {
      windDown();
    } catch (RuntimeException | Error again) {
      // The next step does it.
    }
  }

  private LogException.Failed reason(Throwable broken) {
    return new LogException.Failed(
        segment.path() + ": the log failed and takes no more writes: " + broken, broken);
  }

  // May be repeated. The log writer repeats it until it succeeds.
  private boolean windDown() {
    ring.seal();
    durablePosition.wakeReached();
    if (windDowns++ < WIND_DOWN_ATTEMPTS) {
      if (durablePosition.failure() == withoutReason && failedOf != null) {
        durablePosition.fail(reason(failedOf));
      }
      try {
        closeFiles();
      } catch (IOException alsoBroken) {
        // No remedy: the log has failed already.
      }
    }
    end();
    boolean ignored = reportFailure();
    return true;
  }

  // The log has ended and all waiters are released, so this may take as long as it likes. Answers
  // whether nothing is left to report.
  private boolean reportFailure() {
    LogException.Failed failure = durablePosition.failure();
    isReported = isReported || failure == null || operator.failed(failure);
    return isReported;
  }

  private void end() {
    finished = true;
    completer.end();
    watermark.end();
  }

  /** Replaces {@link #run} if the log writer never starts: closes the files without writing. */
  void abandon() throws IOException {
    ring.seal();
    closeFiles();
    end();
  }

  private void closeFiles() throws IOException {
    roller.stop();
    segment.close();
  }

  private void awaitWork() {
    if (forcesEach && !isBlocked() && spin()) {
      idleNanos = IDLE_NANOS_MIN;
      return;
    }
    parked = true;
    // Check again after storing `parked`: a writer that commits and then does not see `parked` has
    // committed before this check.
    if (isIdle() || isBlocked()) {
      LockSupport.parkNanos(this, idleNanos);
      idleNanos = Math.min(2 * idleNanos, IDLE_NANOS_MAX);
    }
    parked = false;
    if (!isIdle() && !isBlocked()) {
      idleNanos = IDLE_NANOS_MIN;
    }
  }

  // At PROCESS_DEATH an append is acknowledged before this thread writes it. So frames may collect:
  // few long writes take a fraction of the processor time of many short ones. A writer that finds
  // the ring full wakes this thread, and so does a close.
  private void awaitMore() {
    if (!forcesEach && mayCollect()) {
      parked = true;
      if (mayCollect()) { // as in awaitWork
        LockSupport.parkNanos(this, COLLECT_NANOS);
      }
      parked = false;
    }
  }

  private boolean mayCollect() {
    return ring.end() - written < COLLECTED_BYTES
        && !ring.isSealed()
        && durablePosition.durable() >= forceUpTo
        && !durablePosition.hasNewWaiters();
  }

  private boolean spin() {
    long start = System.nanoTime();
    while (isIdle()) {
      if (System.nanoTime() - start > SPIN_NANOS) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }

  private boolean isIdle() {
    return ring.committedBytes(written) == 0
        && !ring.isSealed()
        && !durablePosition.hasNewWaiters();
  }

  // There is work, and it cannot be done now.
  private boolean isBlocked() {
    return durablePosition.failure() != null || policy.last() != null || holeFiller.isOne();
  }

  /** Wakes the log writer if it is parked. Cheap otherwise. */
  void wake() {
    if (parked) {
      LockSupport.unpark(thread);
    }
  }
}
