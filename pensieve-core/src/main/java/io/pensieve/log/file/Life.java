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
    this.acknowledgements = new Acknowledgements(ring.released());
    this.horizon = new Horizon(ring, acknowledgements, settings.durability());
    this.scribe =
        new Scribe(
            directory,
            space,
            lock,
            start,
            settings,
            acknowledgements,
            horizon,
            threads.nanoTime(),
            threads.background());
    this.pace = new Pace(settings.compaction().heldBytesPerSecond(), threads.nanoTime());
    this.begun =
        new LogExtent(found.baseBytes(), found.bytes() - found.baseBytes(), ring.released());
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
            .begin(settings.durability(), settings.ringBytes(), allocated, settings.segmentBytes());
    Life life = new Life(directory, lock, settings, threads, isClosed, found, start);
    life.space.look();
    life.scribe.allocateSpare();
    return new Begun(life, start);
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
        directory, space, ring, scribe, acknowledgements, pace, settings, threads.nanoTime());
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
    return scribe.hasRoom() ? null : space.shortage();
  }

  /** Puts a frame at the end of the log, and answers where it begins. */
  long append(FrameDraft draft, boolean isPut) {
    int bytes = Format.align((int) draft.length());
    long position = claim(bytes, isPut);
    ring.write(position, acknowledgements.durable(), draft);
    pace.await(position + bytes, bytes);
    return position;
  }

  private long claim(int bytes, boolean isPut) {
    while (true) {
      if (isPut && !scribe.hasRoom()) {
        throw full();
      }
      long position = ring.tryClaim(bytes);
      if (position >= 0) {
        return position;
      }
      if (position == Ring.SEALED) {
        throw acknowledgements.whySealed(isClosed);
      }
      if (!scribe.hasRoom()) {
        throw full();
      }
      scribe.wake();
      LockSupport.parkNanos(ring, BACK_PRESSURE_NANOS);
    }
  }

  private LogException.Full full() {
    return new LogException.Full(space.shortage());
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
