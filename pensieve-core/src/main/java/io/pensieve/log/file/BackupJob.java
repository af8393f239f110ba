package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Copies a log that is in use: the live entries, and the changes made while they were read. */
final class BackupJob<K, V> implements Job {
  // Why it is sound: as for a compaction, see CompactionJob. The walk sees every change appended
  // before its position. Later changes, which the walk may have seen in part, are copied as frames.
  // They are copied up to the log's end at the end of the walk, once all of that is forced. The
  // compactor's thread does the backup, so no compaction deletes a segment that is still to be
  // copied.

  private enum Phase {
    REQUESTED,
    WALKING,
    AWAITING_FORCE,
    COPYING,
    ENDED
  }

  private final LogParts log;
  private final EntryWalk.Source<K, V> source;
  private final Path target;
  private final CompletableFuture<Void> done = new CompletableFuture<>();

  private Phase phase = Phase.REQUESTED;
  private long walkEnd; // from AWAITING_FORCE on: the log's end at the end of the walk
  private long notBeforeNanos; // the end of a pause
  private @Nullable Run<K, V> run; // absent when REQUESTED

  // Changed in pieces of DiskGate, or after it was closed.
  private @Nullable LogCopy copy;
  private @Nullable SourceSegment segment; // when COPYING

  /** The parts of a backup that has begun. */
  private record Run<K, V>(LogCopy copy, EntryWalk<K, V> walk, BaseWriter base) {}

  BackupJob(LogParts log, EntryWalk.Source<K, V> source, Path target) {
    this.log = log;
    this.source = source;
    this.target = target;
  }

  /** Completes when the copy is finished, or has failed and been deleted. */
  CompletableFuture<Void> done() {
    return done;
  }

  @Override
  public boolean hasEnded() {
    return phase == Phase.ENDED;
  }

  @Override
  public long notBeforeNanos() {
    return notBeforeNanos;
  }

  /** Compactions wait for a backup, so to slow writers down would gain nothing. */
  @Override
  public long freeUntil() {
    return Long.MAX_VALUE;
  }

  @Override
  public boolean step(DiskGate disk) throws IOException {
    Run<K, V> current = run;
    if (current == null) {
      begin(disk);
      return true;
    } else if (log.nanoTime().getAsLong() - notBeforeNanos < 0) {
      return false;
    }
    return switch (phase) {
      case WALKING -> walkMore(disk, current);
      case AWAITING_FORCE -> copyOnceForced(disk, current.copy());
      case COPYING -> copyMore(disk, current.copy());
      case REQUESTED, ENDED -> false;
    };
  }

  private void begin(DiskGate disk) throws IOException {
    disk.run(() -> copy = LogCopy.create(log.directory().disk(), target, log.directory().codecs()));
    EntryWalk<K, V> walk = EntryWalk.begin(source, log.ring());
    walk.sort();
    LogCopy begun = required(copy);
    disk.run(() -> run = new Run<>(begun, walk, begun.beginBase(walk.position())));
    notBeforeNanos = log.nanoTime().getAsLong();
    phase = Phase.WALKING;
  }

  private boolean walkMore(DiskGate disk, Run<K, V> current) throws IOException {
    BaseWriter writer = current.base();
    boolean isEnd = current.walk().addUntil(log.settings().compaction().batchBytes(), writer);
    int bytes = writer.buffered();
    disk.run(
        () -> {
          checkFreeSpace();
          writer.write();
        });
    pauseFor(bytes);
    if (isEnd) {
      walkEnd = log.ring().end();
      phase = Phase.AWAITING_FORCE;
    }
    return true;
  }

  private void pauseFor(long bytes) {
    long nanos = (long) (1e9 * bytes / log.settings().compaction().bytesPerSecond());
    notBeforeNanos = log.nanoTime().getAsLong() + nanos;
  }

  // The log itself may be on this disk, and a backup must not stop its writers.
  private void checkFreeSpace() throws IOException {
    FreeSpace space = new FreeSpace(log.directory().disk(), target, log.settings().lowWaterBytes());
    space.refresh();
    if (space.isShort()) {
      throw new IOException(
          "less than " + space.reserveBytes() + " bytes left on the disk of " + target);
    }
  }

  private boolean copyOnceForced(DiskGate disk, LogCopy writer) throws IOException {
    log.durablePosition().checkNotFailed();
    if (log.durablePosition().durable() < walkEnd) {
      return false;
    }
    disk.run(() -> writer.endBase(walkEnd));
    phase = Phase.COPYING;
    return true;
  }

  private boolean copyMore(DiskGate disk, LogCopy writer) throws IOException {
    long before = writer.end();
    disk.run(
        () -> {
          checkFreeSpace();
          copyFrames(writer, before + log.settings().compaction().batchBytes());
          if (writer.end() == walkEnd) {
            closeSegment();
            writer.finish(walkEnd);
            phase = Phase.ENDED;
          }
        });
    pauseFor(writer.end() - before);
    if (phase == Phase.ENDED) {
      complete(null);
    }
    return true;
  }

  private void copyFrames(LogCopy writer, long until) throws IOException {
    while (writer.end() < Math.min(until, walkEnd)) {
      long position = writer.end();
      SourceSegment from = segment;
      if (from == null || position == from.end) {
        closeSegment();
        from = SourceSegment.open(log.directory(), position);
        segment = from;
      }
      if (!from.reader.next()) {
        throw from.file.corrupt(
            position, "a frame, since all was forced up to position " + walkEnd, "none");
      }
      writer.add(from.reader.frameBytes(), position);
    }
  }

  /** The segment being copied, and the first position of the next one. */
  private record SourceSegment(FrameFile file, long end, FrameReader reader) {

    static SourceSegment open(LogDirectory directory, long position) throws IOException {
      long first = 0;
      long end = Long.MAX_VALUE;
      for (long candidate : directory.segments()) {
        if (candidate <= position) {
          first = candidate;
        } else {
          end = Math.min(end, candidate);
        }
      }
      FrameFile file = FrameFile.segment(directory, first);
      FrameReader reader = file.reader();
      reader.seek(position);
      return new SourceSegment(file, end, reader);
    }
  }

  private void closeSegment() throws IOException {
    SourceSegment opened = segment;
    segment = null;
    if (opened != null) {
      opened.file.close();
    }
  }

  private static <T> T required(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("not in this phase");
    }
    return value;
  }

  @Override
  public void discard() throws IOException {
    LogCopy unfinished = copy;
    copy = null;
    try {
      if (unfinished != null) {
        unfinished.discard();
      }
    } finally {
      closeSegment();
    }
  }

  @Override
  public void complete(@Nullable Throwable cause) {
    if (cause == null) {
      done.complete(null);
    } else {
      done.completeExceptionally(cause);
    }
  }
}
