package io.pensieve.log.file;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Replaces the history by a base of the live entries, while the log is in use. */
final class CompactionJob<K, V> implements Job {
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

  private static final SecureRandom SALTS = new SecureRandom();

  // As DESIGN.md names the steps.
  private enum Phase {
    REQUESTED,
    BEGUN,
    WRITING,
    AWAITING_FORCE,
    SWITCHED,
    ENDED
  }

  private final LogParts log;
  private final CompactionSchedule schedule;
  private final EntryWalk.Source<K, V> source;
  private final List<CompletableFuture<Void>> requests;

  private Phase phase = Phase.REQUESTED;
  private @Nullable EntryWalk<K, V> walk; // present from BEGUN on
  private long startNanos;
  private long notBeforeNanos;
  private long walkEnd; // from AWAITING_FORCE on: the log's end at the end of the walk
  private long writtenBytes; // of the base
  private @Nullable BaseWriter base; // changed in pieces of DiskGate, or after it was closed

  CompactionJob(
      LogParts log,
      CompactionSchedule schedule,
      EntryWalk.Source<K, V> source,
      List<CompletableFuture<Void>> requests) {
    this.log = log;
    this.schedule = schedule;
    this.source = source;
    this.requests = requests;
  }

  @Override
  public boolean hasEnded() {
    return phase == Phase.ENDED;
  }

  @Override
  public long notBeforeNanos() {
    return notBeforeNanos;
  }

  @Override
  public long freeUntil() {
    return switch (phase) {
      case REQUESTED, SWITCHED, ENDED -> schedule.freeUntilBegun();
      case BEGUN, WRITING, AWAITING_FORCE ->
          schedule.freeUntil(required(walk).position(), writtenBytes);
    };
  }

  @Override
  public boolean step(DiskGate disk) throws IOException {
    return switch (phase) {
      case REQUESTED -> begin(disk);
      case WRITING -> writeMore(disk, required(walk), required(base));
      case AWAITING_FORCE -> switchIfForced(disk, required(walk), required(base));
      case BEGUN, SWITCHED, ENDED -> false;
    };
  }

  private boolean begin(DiskGate disk) throws IOException {
    startNanos = log.nanoTime().getAsLong();
    EntryWalk<K, V> begun = EntryWalk.begin(source, log.ring());
    walk = begun;
    phase = Phase.BEGUN;
    disk.run(() -> base = BaseWriter.create(log.directory(), begun.position(), SALTS.nextLong()));
    begun.sort(); // may take long: writers are given their share before
    notBeforeNanos = log.nanoTime().getAsLong();
    phase = Phase.WRITING;
    return true;
  }

  private boolean writeMore(DiskGate disk, EntryWalk<K, V> current, BaseWriter writer)
      throws IOException {
    long now = log.nanoTime().getAsLong();
    if (now - notBeforeNanos < 0) {
      return false;
    }
    LogSettings.Compaction settings = log.settings().compaction();
    boolean isEnd = current.addUntil(settings.batchBytes(), writer);
    int bytes = writer.buffered();
    disk.run(
        () -> {
          checkFreeSpace();
          writer.write();
        });
    writtenBytes = writer.bytes();
    if (isEnd) {
      walkEnd = log.ring().end();
      phase = Phase.AWAITING_FORCE;
      log.logWriter().forceUpTo(walkEnd);
    } else if (schedule.isAhead(current.position(), writtenBytes)) {
      notBeforeNanos = now + (long) (1e9 * bytes / settings.bytesPerSecond());
    }
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

  private boolean switchIfForced(DiskGate disk, EntryWalk<K, V> ended, BaseWriter written)
      throws IOException {
    log.durablePosition().checkNotFailed();
    if (log.durablePosition().durable() < walkEnd) {
      return false;
    }
    disk.run(() -> written.finish(walkEnd));
    disk.run(() -> switchTo(written, ended));
    disk.run(() -> log.directory().deleteBefore(schedule.size().countedFrom()));
    schedule.succeeded(log.nanoTime().getAsLong() - startNanos);
    complete(null);
    phase = Phase.ENDED;
    return true;
  }

  private void switchTo(BaseWriter written, EntryWalk<K, V> ended) throws IOException {
    if (!ended.walk().beforeSwitch()) {
      throw new DiskGate.ClosedException();
    }
    log.logWriter().confirmFolder();
    written.rename();
    forceDirectory();
    ended.walk().afterSwitch(written.position());
    base = null;
    schedule.switched(written.position(), written.bytes());
    phase = Phase.SWITCHED;
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

  @Override
  public void discard() throws IOException {
    BaseWriter unfinished = base;
    base = null;
    if (unfinished == null) {
      return;
    }
    try {
      unfinished.close();
    } finally {
      log.directory().disk().delete(BaseWriter.temporary(log.directory()));
    }
  }

  @Override
  public void complete(@Nullable Throwable cause) {
    for (CompletableFuture<Void> request : requests) {
      if (cause == null) {
        request.complete(null);
      } else {
        request.completeExceptionally(cause);
      }
    }
  }

  private static <T> T required(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("not in this phase");
    }
    return value;
  }
}
