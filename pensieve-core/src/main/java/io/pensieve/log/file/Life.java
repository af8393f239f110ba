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

/** The parts of a log from its replay on, and how a frame gets to its place. */
final class Life {
  private static final long BACK_PRESSURE_NANOS = 50_000;
  private static final int FIRST_SEGMENT_BYTES = 4 << 20;

  private final LogDirectory directory;
  private final FreeSpace space;
  private final FileLog.Settings settings;
  private final BooleanSupplier isClosed;
  private final Ring ring;
  private final Scribe scribe;
  private final Completions completions;
  private final Acknowledgements acknowledgements;
  private final Horizon horizon;
  private final Pace pace;
  private final LogExtent begun;

  private Life(
      LogDirectory directory,
      Disk.Lock lock,
      FileLog.Settings settings,
      Threads threads,
      BooleanSupplier isClosed,
      Recovery.Result found,
      Beginning.Start start) {
    this.directory = directory;
    this.space = new FreeSpace(directory.disk(), directory.folder(), settings.lowWaterBytes());
    this.settings = settings;
    this.isClosed = isClosed;
    this.ring = start.ring();
    this.completions = new Completions(threads.completions());
    this.acknowledgements = new Acknowledgements(ring.released(), completions);
    this.horizon = new Horizon(ring, acknowledgements, settings.durability(), start.previousEnd());
    this.scribe =
        new Scribe(
            directory,
            space,
            lock,
            start,
            settings,
            acknowledgements,
            completions,
            horizon,
            threads.nanoTime(),
            threads.background(),
            threads.operator());
    this.pace = new Pace(settings.compaction().heldBytesPerSecond(), threads.nanoTime());
    this.begun =
        new LogExtent(
            found.baseBytes(),
            found.bytes() - found.baseBytes(),
            ring.released(),
            found.segments());
  }

  /** A life, and the end that was cut off before it began, if there was one. */
  record Begun(Life life, Beginning.Start start) {}

  static Begun begin(
      LogDirectory directory,
      Disk.Lock lock,
      FileLog.Settings settings,
      Threads threads,
      BooleanSupplier isClosed,
      Recovery.Result found)
      throws IOException {
    long allocated =
        settings.durability() == Durability.POWER_CUT
            ? Format.FILE_HEADER_BYTES + Math.min(settings.segmentBytes(), FIRST_SEGMENT_BYTES)
            : 0;
    Beginning.Start start =
        new Beginning(directory, found.recovered())
            .begin(
                settings.origin(),
                settings.durability(),
                settings.ringBytes(),
                allocated,
                settings.segmentBytes());
    Life life = new Life(directory, lock, settings, threads, isClosed, found, start);
    life.start(threads);
    return new Begun(life, start);
  }

  // What was opened is closed if it cannot be used: no thread may be had, for one.
  private void start(Threads threads) throws IOException {
    boolean started = false;
    try {
      OpeningReserve.take(directory, settings.ringBytes());
      space.look();
      if (settings.durability() == Durability.POWER_CUT) {
        completions.start();
      }
      scribe.begin();
      threads.scribe().execute(scribe);
      started = true;
    } finally {
      if (!started) {
        completions.end();
        scribe.abandon();
      }
    }
  }

  Ring ring() {
    return ring;
  }

  Scribe scribe() {
    return scribe;
  }

  Acknowledgements acknowledgements() {
    return acknowledgements;
  }

  Horizon horizon() {
    return horizon;
  }

  /** How long base and log were when this life began. */
  LogExtent begun() {
    return begun;
  }

  Compactor.Surroundings surroundings(Threads threads) {
    return new Compactor.Surroundings(
        directory,
        space,
        ring,
        scribe,
        acknowledgements,
        pace,
        settings,
        threads.nanoTime(),
        threads.operator());
  }

  LogStatistics statistics(LogExtent extent, CompactionTally tally) {
    long released = ring.released(); // before the end, lest it be beyond
    long end = ring.end();
    return new LogStatistics(
        end - begun.countedFrom(),
        end - released,
        scribe.forces(),
        extent.baseBytes(),
        extent.logBytes(end),
        tally.succeeded(),
        tally.failed(),
        tally.last(),
        tally.lastFailure(),
        Duration.ofNanos(tally.backOffNanos()),
        Optional.ofNullable(acknowledgements.failure()).map(LogException::getMessage),
        Optional.ofNullable(refusal()),
        space.freeBytes(),
        space.reserveBytes());
  }

  /** Why a put would be refused now; null if it would not. */
  private @Nullable String refusal() {
    LogException.Failed failed = acknowledgements.failure();
    if (failed != null) {
      return failed.getMessage();
    } else if (isClosed.getAsBoolean()) {
      return directory.folder() + ": the log is closed";
    }
    return scribe.hasRoom() ? null : scribe.refusal();
  }

  /** Puts a frame at the end of the log, and answers where it begins. */
  long append(FrameDraft draft, boolean isPut) {
    int bytes = Format.align((int) draft.length());
    Claim claim = draft.claim();
    claim.bytes = bytes;
    long position = claim(claim, bytes, isPut);
    try {
      ring.write(position, acknowledgements.durable(), draft);
    } catch (RuntimeException | Error unwinding) {
      // No stack or no heap may be left, so this is a store and no call: see Claim.
      claim.abandoned = true;
      throw unwinding;
    }
    // It is in the log now: nothing may fail any more. What follows needs no memory, and less stack
    // than the commit has had.
    claim.ring = Claim.NO_RING;
    pace.appended(position + bytes, bytes, draft);
    return position;
  }

  /** Waits a little if this thread has appended what is too far. With no key locked. */
  void throttle() {
    if (pace.isOwed()) {
      pace.await(FrameDraft.ofThread());
    }
  }

  private long claim(Claim claim, int bytes, boolean isPut) {
    long position = tryClaim(claim, bytes, isPut);
    return position >= 0 ? position : claimLater(claim, bytes, isPut);
  }

  private long tryClaim(Claim claim, int bytes, boolean isPut) {
    if (isPut && !scribe.hasRoom()) {
      throw refusal(claim);
    }
    claim.position = Ring.NO_ROOM; // as long as it is not known
    claim.ring = ring.number();
    long position = ring.tryClaim(bytes);
    claim.position = position;
    return position;
  }

  // An interrupted thread does not rest when it parks, so the flag is taken from it meanwhile.
  private long claimLater(Claim claim, int bytes, boolean isPut) {
    boolean interrupted = false;
    try {
      while (true) {
        if (ring.isSealed() || !scribe.hasRoom()) {
          throw refusal(claim);
        }
        scribe.wake();
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

  // What has failed is called that, and not full, which it may be as well.
  private RuntimeException refusal(Claim claim) {
    claim.ring = Claim.NO_RING;
    LogException.Failed failed = acknowledgements.failure();
    if (failed != null) {
      return new LogException.Failed(String.valueOf(failed.getMessage()), failed);
    } else if (ring.isSealed()) {
      return new IllegalStateException("the log is closed");
    }
    return full();
  }

  private LogException.Full full() {
    String refusal = scribe.refusal();
    return new LogException.Full(refusal == null ? space.shortage() : refusal);
  }

  /** Ends appends, and returns when all is written and forced, or the log has failed. */
  void end() {
    ring.seal();
    boolean interrupted = false;
    while (!scribe.isFinished()) {
      scribe.wake();
      LockSupport.parkNanos(ring, BACK_PRESSURE_NANOS);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
