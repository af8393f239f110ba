package io.pensieve.log.file;

import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.LogStatistics;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The parts of an open log, from replay on, and how a frame gets its place. */
final class OpenLog {
  private static final long BACK_PRESSURE_NANOS = 50_000;
  private static final int FIRST_SEGMENT_BYTES = 4 << 20;

  private final LogDirectory directory;
  private final FreeSpace space;
  private final LogSettings settings;
  private final BooleanSupplier isClosed;
  private final RingBuffer ring;
  private final LogWriter logWriter;
  private final FutureCompleter completer;
  private final DurablePosition durablePosition;
  private final HighWatermark watermark;
  private final WriteThrottle throttle;
  private final LogSize begun;

  private OpenLog(
      LogDirectory directory,
      Disk.Lock lock,
      LogSettings settings,
      LogThreads threads,
      BooleanSupplier isClosed,
      Recovery.Result found,
      EndOfRecovery.StartingPoint start) {
    this.directory = directory;
    this.space = new FreeSpace(directory.disk(), directory.folder(), settings.lowWaterBytes());
    this.settings = settings;
    this.isClosed = isClosed;
    this.ring = start.ring();
    this.completer = new FutureCompleter(threads.completions());
    this.durablePosition = new DurablePosition(ring.released(), completer);
    this.watermark =
        new HighWatermark(ring, durablePosition, settings.durability(), start.previousEnd());
    this.logWriter =
        new LogWriter(
            directory,
            space,
            lock,
            start,
            settings,
            durablePosition,
            completer,
            watermark,
            threads.nanoTime(),
            threads.background(),
            threads.operator());
    this.throttle =
        new WriteThrottle(settings.compaction().heldBytesPerSecond(), threads.nanoTime());
    this.begun =
        new LogSize(
            found.baseBytes(),
            found.bytes() - found.baseBytes(),
            ring.released(),
            found.segments());
  }

  /** An open log, and the starting point that its recovery gave it. */
  record Opened(OpenLog openLog, EndOfRecovery.StartingPoint start) {}

  static Opened begin(
      LogDirectory directory,
      Disk.Lock lock,
      LogSettings settings,
      LogThreads threads,
      BooleanSupplier isClosed,
      Recovery.Result found)
      throws IOException {
    long allocated =
        settings.durability() == Durability.POWER_CUT
            ? FileHeader.BYTES + Math.min(settings.segmentBytes(), FIRST_SEGMENT_BYTES)
            : 0;
    EndOfRecovery.StartingPoint start =
        new EndOfRecovery(
                directory,
                new EndOfRecovery.Settings(
                    settings.origin(),
                    settings.durability(),
                    settings.ringBytes(),
                    allocated,
                    settings.segmentBytes()))
            .begin(found.recovered());
    OpenLog openLog = new OpenLog(directory, lock, settings, threads, isClosed, found, start);
    openLog.start(threads);
    return new Opened(openLog, start);
  }

  // Closes what was opened if the log cannot start, for example for want of a thread.
  private void start(LogThreads threads) throws IOException {
    boolean started = false;
    try {
      OpeningReserve.take(directory, settings.ringBytes());
      space.refresh();
      if (settings.durability() == Durability.POWER_CUT) {
        completer.start();
      }
      logWriter.begin();
      threads.logWriter().execute(logWriter);
      started = true;
    } finally {
      if (!started) {
        completer.end();
        logWriter.abandon();
      }
    }
  }

  RingBuffer ring() {
    return ring;
  }

  LogWriter logWriter() {
    return logWriter;
  }

  DurablePosition durablePosition() {
    return durablePosition;
  }

  HighWatermark watermark() {
    return watermark;
  }

  /** The lengths of base and log when this session began. */
  LogSize begun() {
    return begun;
  }

  LogParts surroundings(LogThreads threads) {
    return new LogParts(
        directory,
        space,
        ring,
        logWriter,
        durablePosition,
        throttle,
        settings,
        threads.nanoTime(),
        threads.operator());
  }

  LogStatistics statistics(LogSize extent, CompactionStatistics tally) {
    long released = ring.released(); // read before the end, so that it never exceeds it
    long end = ring.end();
    return new LogStatistics(
        end - begun.countedFrom(),
        end - released,
        logWriter.forces().count(),
        Duration.ofNanos(logWriter.forces().totalNanos()),
        Duration.ofNanos(logWriter.forces().maxNanos()),
        extent.baseBytes(),
        extent.logBytes(end),
        tally.succeeded(),
        tally.failed(),
        tally.last(),
        tally.lastFailure(),
        Duration.ofNanos(tally.backOffNanos()),
        Optional.ofNullable(durablePosition.failure()).map(LogException::getMessage),
        Optional.ofNullable(refusal()),
        space.freeBytes(),
        space.reserveBytes());
  }

  /** Describes why a put would be refused now; null if it would be accepted. */
  private @Nullable String refusal() {
    LogException.Failed failed = durablePosition.failure();
    if (failed != null) {
      return failed.getMessage();
    } else if (isClosed.getAsBoolean()) {
      return directory.folder() + ": the log is closed";
    }
    return logWriter.acceptsPuts() ? null : logWriter.putRefusal();
  }

  /** Appends a frame, and answers the position where it begins. */
  long append(FrameEncoder draft, boolean isPut) {
    int bytes = Format.align((int) draft.length());
    RingClaim claim = draft.claim();
    claim.bytes = bytes;
    long position = claim(claim, bytes, isPut);
    try {
      ring.write(position, durablePosition.durable(), draft);
    } catch (RuntimeException | Error unwinding) {
      // Stack or heap may be exhausted, so this is a store and no call: see RingClaim.
      claim.abandoned = true;
      throw unwinding;
    }
    // The frame is in the log now, so nothing below may fail. The code below needs no memory, and
    // less stack than the commit did.
    claim.ring = RingClaim.NO_RING;
    throttle.appended(position + bytes, bytes, draft);
    return position;
  }

  /** Waits if this thread's appends outran a compaction. The caller must hold no key's lock. */
  void throttle() {
    if (throttle.hasDebt()) {
      throttle.await(FrameEncoder.ofThread());
    }
  }

  private long claim(RingClaim claim, int bytes, boolean isPut) {
    long position = tryClaim(claim, bytes, isPut);
    return position >= 0 ? position : claimBlocking(claim, bytes, isPut);
  }

  private long tryClaim(RingClaim claim, int bytes, boolean isPut) {
    if (isPut && !logWriter.acceptsPuts()) {
      throw refusal(claim);
    }
    claim.position = RingBuffer.NO_ROOM; // until it is known
    claim.ring = ring.number();
    long position = ring.tryClaim(bytes);
    claim.position = position;
    return position;
  }

  // parkNanos returns at once in an interrupted thread. So this clears the flag, and restores it at
  // the end.
  private long claimBlocking(RingClaim claim, int bytes, boolean isPut) {
    boolean interrupted = false;
    try {
      while (true) {
        if (ring.isSealed() || !logWriter.acceptsPuts()) {
          throw refusal(claim);
        }
        logWriter.wake();
        LockSupport.parkNanos(ring, BACK_PRESSURE_NANOS);
        interrupted |= Thread.interrupted();
        long position = tryClaim(claim, bytes, isPut);
        if (position >= 0) {
          return position;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  // Reports a failure as a failure, even if the disk is full as well.
  private RuntimeException refusal(RingClaim claim) {
    claim.ring = RingClaim.NO_RING;
    LogException.Failed failed = durablePosition.failure();
    if (failed != null) {
      return new LogException.Failed(String.valueOf(failed.getMessage()), failed);
    } else if (ring.isSealed()) {
      return new IllegalStateException("the log is closed");
    }
    return diskFull();
  }

  private LogException.Full diskFull() {
    String refusal = logWriter.putRefusal();
    return new LogException.Full(refusal == null ? space.shortage() : refusal);
  }

  /** Ends appends. Returns when everything is written and forced, or the log has failed. */
  void end() {
    ring.seal();
    boolean interrupted = false;
    while (!logWriter.isFinished()) {
      logWriter.wake();
      LockSupport.parkNanos(ring, BACK_PRESSURE_NANOS);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
