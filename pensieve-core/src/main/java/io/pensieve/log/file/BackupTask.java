package io.pensieve.log.file;

import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Copies a log that is in use: the live entries, and the changes made while they were read. */
final class BackupTask<K, V> {
  // Why it is sound: as for a compaction, see Compactor. The walk sees every change appended before
  // its position. Later changes, which the walk may have seen in part, are copied as frames. They
  // are copied up to the log's end at the end of the walk, once all of that is forced. The
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
  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final LiveEntries<K, V> live;
  private final Path target;
  private final CompletableFuture<Void> done = new CompletableFuture<>();

  private Phase phase = Phase.REQUESTED;
  private @Nullable Iterator<LiveEntries.LiveEntry<K, V>> entries; // present when WALKING
  private @Nullable BaseWriter base; // present when WALKING or AWAITING_FORCE
  private long walkEnd; // from AWAITING_FORCE on: the log's end at the end of the walk
  private long notBeforeNanos; // the end of a pause
  private @Nullable Source source; // when COPYING

  // Changed inside DiskWork only, or when no thread works on the disk any more.
  private @Nullable LogCopy copy;

  BackupTask(
      LogParts log, Codec<K> keyCodec, Codec<V> valueCodec, LiveEntries<K, V> live, Path target) {
    this.log = log;
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.live = live;
    this.target = target;
  }

  /** Runs a piece of work on the disk. The log waits for it before it closes. */
  interface DiskWork {
    void run(Work work) throws IOException;
  }

  interface Work {
    void run() throws IOException;
  }

  /** Completes when the copy is finished, or has failed and been deleted. */
  CompletableFuture<Void> done() {
    return done;
  }

  boolean hasEnded() {
    return phase == Phase.ENDED;
  }

  long notBeforeNanos() {
    return notBeforeNanos;
  }

  /** Does one piece of the work, unless it has to wait. Answers whether it did. */
  boolean step(DiskWork disk) throws IOException {
    if (phase != Phase.REQUESTED && log.nanoTime().getAsLong() - notBeforeNanos < 0) {
      return false;
    }
    switch (phase) {
      case REQUESTED -> begin(disk);
      case WALKING -> walkMore(disk);
      case AWAITING_FORCE -> {
        return copyOnceForced(disk);
      }
      case COPYING -> copyMore(disk);
      case ENDED -> {
        return false;
      }
    }
    return true;
  }

  private void begin(DiskWork disk) throws IOException {
    disk.run(() -> copy = LogCopy.create(log.directory().disk(), target, log.directory().codecs()));
    LiveEntries.Walk<K, V> walk = live.walk();
    long position = log.ring().end();
    entries = walk.coldestFirst();
    disk.run(() -> base = required(copy).beginBase(position));
    notBeforeNanos = log.nanoTime().getAsLong();
    phase = Phase.WALKING;
  }

  private void walkMore(DiskWork disk) throws IOException {
    BaseWriter writer = required(base);
    boolean isEnd =
        writer.addUntil(
            log.settings().compaction().batchBytes(), required(entries), keyCodec, valueCodec);
    int bytes = writer.buffered();
    disk.run(
        () -> {
          checkFreeSpace();
          writer.write();
        });
    pauseFor(bytes);
    if (isEnd) {
      entries = null;
      walkEnd = log.ring().end();
      phase = Phase.AWAITING_FORCE;
    }
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

  private boolean copyOnceForced(DiskWork disk) throws IOException {
    log.durablePosition().checkNotFailed();
    if (log.durablePosition().durable() < walkEnd) {
      return false;
    }
    disk.run(() -> required(copy).endBase(walkEnd));
    base = null;
    phase = Phase.COPYING;
    return true;
  }

  private void copyMore(DiskWork disk) throws IOException {
    LogCopy writer = required(copy);
    long before = writer.end();
    disk.run(
        () -> {
          checkFreeSpace();
          copyFrames(writer, before + log.settings().compaction().batchBytes());
          if (writer.end() == walkEnd) {
            closeSource();
            writer.finish(walkEnd);
            phase = Phase.ENDED;
          }
        });
    pauseFor(writer.end() - before);
    if (phase == Phase.ENDED) {
      done.complete(null);
    }
  }

  private void copyFrames(LogCopy writer, long until) throws IOException {
    while (writer.end() < Math.min(until, walkEnd)) {
      long position = writer.end();
      Source from = source;
      if (from == null || position == from.end) {
        closeSource();
        from = Source.open(log.directory(), position);
        source = from;
      }
      if (!from.reader.next()) {
        throw from.file.corrupt(
            position, "a frame, since all was forced up to position " + walkEnd, "none");
      }
      writer.add(from.reader.frameBytes(), position);
    }
  }

  /** The segment being copied, and the first position of the next one. */
  private record Source(FrameFile file, long end, FrameReader reader) {

    static Source open(LogDirectory directory, long position) throws IOException {
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
      return new Source(file, end, reader);
    }
  }

  private void closeSource() throws IOException {
    if (source != null) {
      source.file.close();
      source = null;
    }
  }

  private static <T> T required(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("not in this phase");
    }
    return value;
  }

  /** Aborts the backup and deletes what it has written. No other thread works on the disk now. */
  void abort(Throwable broken) {
    phase = Phase.ENDED;
    LogCopy unfinished = copy;
    copy = null;
    if (unfinished != null) {
      unfinished.discardAfter(broken);
    }
    try {
      closeSource();
    } catch (IOException alsoBroken) {
      broken.addSuppressed(alsoBroken);
    }
    done.completeExceptionally(broken);
  }
}
