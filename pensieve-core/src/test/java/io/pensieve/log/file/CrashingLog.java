package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.Replay;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A file log on a simulated disk for a real map: it moves when it is told to, keeps a record of all
 * that was appended, and crashes.
 */
public final class CrashingLog {
  private static final Path FOLDER = Path.of("log");
  private static final int RING_BYTES = 1 << 14;
  private static final FileLog.Settings SMALL =
      new FileLog.Settings(
          end -> end,
          Durability.PROCESS_DEATH,
          RING_BYTES,
          RING_BYTES / 8,
          2048,
          1024,
          new Compactor.Settings(6000, 500, 1 << 20, Long.MAX_VALUE),
          SimulatedLog.RECOVERY);

  private final SimulatedDisk disk = new SimulatedDisk();
  private final List<Appended> appended = new ArrayList<>();
  private long nanos;
  private long acknowledged;
  private @Nullable FileLog<String, String> log;
  private @Nullable Scribe scribe;
  private @Nullable Compactor<?, ?> compactor;

  /** A change and its sequence. */
  public record Appended(long sequence, Change<String, String> change) {}

  /** Lets the disk write back what was not forced, now and then. */
  public CrashingLog(Random random) {
    disk.writeBack(random);
  }

  /** Opens the log for a map. */
  public Log<String, String> open(Durability durability) {
    FileLog.Settings settings =
        new FileLog.Settings(
            end -> end + Beginning.POSITIONS_SKIPPED,
            durability,
            SMALL.ringBytes(),
            SMALL.entryBytesMax(),
            SMALL.segmentBytes(),
            SMALL.lowWaterBytes(),
            SMALL.compaction(),
            SMALL.recovery());
    Threads threads =
        new Threads(
            work -> scribe = (Scribe) work,
            Runnable::run,
            work -> {},
            work -> compactor = (Compactor<?, ?>) work,
            () -> nanos);
    FileLog<String, String> opened =
        FileLog.open(disk, FOLDER, SimulatedLog.TEXT, SimulatedLog.TEXT, settings, threads);
    log = opened;
    return new Recorded(opened);
  }

  private static <T> T present(@Nullable T value) {
    if (value == null) {
      throw new AssertionError("not open");
    }
    return value;
  }

  /** Everything that was appended since it was last cleared, in order. */
  public List<Appended> appended() {
    return appended;
  }

  /** Up to here, at least, the log must survive a power cut. */
  public long acknowledged() {
    FileLog<String, String> current = present(log);
    long durable = current.durableSequence();
    if (durable != Long.MAX_VALUE) {
      acknowledged = Math.max(acknowledged, durable);
    }
    return acknowledged;
  }

  /** Where the newest base ends, or 0. */
  public long newestBase() {
    return disk.newestBase(FOLDER);
  }

  /** A piece of the scribe's work. */
  public boolean step() {
    nanos += 60_000_000;
    return !present(scribe).isFinished() && present(scribe).step();
  }

  /** All of it. */
  public void settle() {
    while (step()) {}
  }

  /** A piece of a compaction, if one is due; answers whether it was the first one. */
  public boolean compactStep() {
    Path unfinished = FOLDER.resolve("base.tmp");
    boolean wasWalking = disk.exists(unfinished);
    nanos += 60_000_000;
    return present(compactor).step() && !wasWalking && disk.exists(unfinished);
  }

  /** The process dies now. */
  public void kill() {
    disk.killProcess();
  }

  /** The power is cut now. */
  public void cutPower(Random random) {
    disk.cutPower(random);
  }

  /** Passes everything on, and remembers what is appended. */
  private final class Recorded implements Log<String, String> {
    private final FileLog<String, String> inner;

    Recorded(FileLog<String, String> inner) {
      this.inner = inner;
    }

    @Override
    public RecoveryReport replay(Replay<String, String> replay) {
      return inner.replay(replay);
    }

    @Override
    public void compactFrom(LiveEntries<String, String> live) {
      inner.compactFrom(live);
    }

    @Override
    public long append(Change<String, String> change) {
      long sequence = inner.append(change);
      appended.add(new Appended(sequence, change));
      return sequence;
    }

    @Override
    public long[] appendTogether(List<Change<String, String>> changes) {
      long[] sequences = inner.appendTogether(changes);
      for (int i = 0; i < sequences.length; i++) {
        appended.add(new Appended(sequences[i], changes.get(i)));
      }
      return sequences;
    }

    @Override
    public long durableSequence() {
      return inner.durableSequence();
    }

    @Override
    public void awaitDurable(long sequence) {
      settle();
      inner.awaitDurable(sequence);
    }

    @Override
    public CompletableFuture<Void> whenDurable(long sequence) {
      return inner.whenDurable(sequence);
    }

    @Override
    public void close() {
      present(compactor).stop();
      Thread thread = new Thread(present(scribe));
      thread.start();
      inner.close();
    }
  }
}
