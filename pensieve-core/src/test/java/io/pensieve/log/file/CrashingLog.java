package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A file log on a simulated disk for a real map: it moves when it is told to, keeps a record of all
 * that was appended, and crashes.
 */
public final class CrashingLog {
  private static final Path FOLDER = Path.of("log");
  private static final int RING_BYTES = 1 << 14;
  private static final List<DiskFault> FAULTS =
      EnumSet.complementOf(EnumSet.of(DiskFault.NONE)).stream().toList();
  private static final LogSettings SMALL =
      new LogSettings(
          end -> end,
          Durability.PROCESS_DEATH,
          RING_BYTES,
          RING_BYTES / 8,
          2048,
          1024,
          new LogSettings.Compaction(6000, 500, 1 << 20, Long.MAX_VALUE),
          SimulatedLog.RECOVERY);

  private final SimulatedDisk disk = new SimulatedDisk();
  private final List<Appended> appended = new ArrayList<>();
  private long nanos;
  private boolean isClosing; // then time goes on by itself
  private long acknowledged;
  private @Nullable FileLog<String, String> log;
  private @Nullable LogWriter logWriter;
  private @Nullable Compactor<?, ?> compactor;
  private @Nullable FutureCompleter completer;

  /** A change and its sequence. */
  public record Appended(long sequence, Change<String, String> change) {}

  /** Lets the disk write back what was not forced, now and then. */
  public CrashingLog(Random random) {
    disk.writeBack(random);
  }

  /** Opens the log for a map. */
  public Log<String, String> open(Durability durability) {
    return open(durability, SimulatedLog.TEXT, thread -> {});
  }

  /**
   * Opens the log for a map.
   *
   * @param codec of keys and of values
   * @param starting is told of every thread that the log needs, and may refuse it
   */
  public Log<String, String> open(
      Durability durability, Codec<String> codec, Consumer<String> starting) {
    LogSettings settings =
        new LogSettings(
            end -> end + SequenceOrigin.POSITIONS_SKIPPED,
            durability,
            SMALL.ringBytes(),
            SMALL.entryBytesMax(),
            SMALL.segmentBytes(),
            SMALL.lowWaterBytes(),
            SMALL.compaction(),
            SMALL.recovery());
    LogThreads threads =
        new LogThreads(
            work -> {
              starting.accept("log writer");
              logWriter = (LogWriter) work;
            },
            work -> {
              starting.accept("background");
              work.run();
            },
            work -> {
              starting.accept("completions");
              completer = (FutureCompleter) work;
            },
            work -> {
              starting.accept("compactor");
              compactor = (Compactor<?, ?>) work;
            },
            () -> isClosing ? nanos += 1_000_000 : nanos);
    isClosing = false;
    compactor = null;
    FileLog<String, String> opened = FileLog.open(disk, FOLDER, codec, codec, settings, threads);
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

  /** A piece of the log writer's work. */
  public boolean step() {
    nanos += 60_000_000;
    boolean moved = !present(logWriter).isFinished() && present(logWriter).step();
    if (completer != null) {
      completer.drain();
    }
    return moved;
  }

  /** Whether the log has failed, and takes no more changes. */
  public boolean hasFailed() {
    return present(log).statistics().failure().isPresent();
  }

  /** What can go wrong with a disk: how many ways. */
  public static final int DISK_FAULTS = FAULTS.size();

  /** One operation of the disk will fail, after so many more, or all from there on. */
  public void failDiskAfter(int operations, boolean forGood, int fault) {
    disk.failAfter(operations, forGood, FAULTS.get(fault));
  }

  /** Whether this is the disk's, which cannot even say so. */
  public static boolean isFaultOfDisk(Throwable thrown) {
    return thrown instanceof DiskFault.NoMessageError;
  }

  /** Whether an operation that was to fail was called. */
  public boolean diskHasFailed() {
    return disk.hasFailed();
  }

  /** From now on the disk works. */
  public void healDisk() {
    disk.heal();
  }

  /** Whether nobody has the folder. */
  public boolean isFree() {
    return disk.locks() == 0;
  }

  /** All of it. */
  public void settle() {
    while (step()) {}
  }

  // What was refused is tried again only after a while.
  private void settleForced() {
    for (int steps = 0; steps < 20; steps++) {
      settle();
    }
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
    public RecoveryReport replay(ReplayHandler<String, String> handler) {
      return inner.replay(handler);
    }

    @Override
    public void attach(LiveEntries<String, String> live) {
      inner.attach(live);
    }

    @Override
    public long append(Change<String, String> change) {
      long sequence = inner.append(change);
      appended.add(new Appended(sequence, change));
      return sequence;
    }

    @Override
    public long[] appendAtomically(List<Change<String, String>> changes) {
      long[] sequences = inner.appendAtomically(changes);
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
      if (inner.durableSequence() < sequence && !hasFailed()) {
        healDisk(); // of what may be repeated, as a full disk that gets room again
        settleForced();
      }
      inner.awaitDurable(sequence);
    }

    @Override
    public CompletableFuture<Void> whenDurable(long sequence) {
      return inner.whenDurable(sequence);
    }

    @Override
    public void close() {
      isClosing = true;
      if (compactor != null) { // or its thread could not be had
        compactor.stop();
      }
      Thread thread = new Thread(present(logWriter));
      thread.start();
      inner.close();
    }
  }
}
