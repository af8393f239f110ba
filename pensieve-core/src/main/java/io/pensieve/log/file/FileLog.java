package io.pensieve.log.file;

import static java.util.Objects.requireNonNull;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A log in a folder of its own. The log owns every file in the folder, {@code ring} included: the
 * last acknowledged changes may be only there.
 *
 * <p>An entry may have up to 4 MiB unless {@link #maximumEntryBytes} sets another limit. Appends
 * wait while the disk is slower than the writers. At {@link Durability#PROCESS_DEATH} an append
 * needs no system call. An interrupt never harms a log; the thread keeps its flag.
 *
 * <p>The log compacts itself while it is in use: it saves the entries and deletes the changes
 * before. It begins when the changes take 64 MiB, or about two thirds as much as the entries where
 * these are many. So the folder never holds more than twice the entries and 128 MiB, or three times
 * the entries where that is more: {@link #maximumLogBytes} sets another length. An entry counts
 * with key, value and up to 47 bytes. A larger {@link #maximumEntryBytes} adds what it adds to the
 * ring. During a compaction, writers that append more than a third of that log are slowed down
 * until it ends. If it fails, the log continues and grows. It retries at growing intervals: see
 * {@link #statistics}.
 *
 * <p>The log locks its folder against other processes, other class loaders, and other logs of this
 * process. If its folder is deleted, replaced or taken, it fails at its next force, and within
 * about 100 ms. Only the files' owner has access (files 0600, folders 0700).
 *
 * <p>A failed force is final, and so is a write that keeps failing: later appends throw {@link
 * LogException.Failed}. The log retries writes that lack space or descriptors. With less than 64
 * MiB free (or a sixteenth of the volume, if less), puts throw {@link LogException.Full} until
 * there is space; removals go on. {@link #statistics} has the reason.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class FileLog<K, V> implements Log<K, V> {
  // States: NEW, REPLAYED by replay, CLOSED by close, in this order; guarded by this. A new log
  // holds nothing. replay creates and locks the folder, and releases all if it fails. Appends read
  // the ring, not the state: the ring's seal ends them. See RingBuffer.

  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  private final LogDirectory directory;
  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final LogSettings.Options options;
  private final LogSettings settings;
  private final LogThreads threads;
  private volatile @Nullable HeldFolder held; // from replay until close; stored under this
  private volatile @Nullable OpenLog openLog; // from replay on
  private volatile @Nullable Compactor<K, V> compactor; // from attach on
  private volatile boolean closed; // stored under this, before the ring is sealed for it

  @GuardedBy("this")
  private boolean unlocked; // no thread works in the folder any more

  private FileLog(
      LogDirectory directory,
      Codec<K> keyCodec,
      Codec<V> valueCodec,
      LogSettings.Options options,
      LogSettings settings,
      LogThreads threads) {
    ClassInitialization.ensure();
    this.directory = directory;
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.options = options;
    this.settings = settings;
    this.threads = threads;
  }

  /**
   * Describes a log with the default settings, for a map to open. Like the methods that change a
   * setting, it does not touch the disk. The opening map calls {@link #replay}, which creates the
   * folder if needed, and locks it.
   */
  public static <K, V> FileLog<K, V> at(Path directory, Codec<K> keyCodec, Codec<V> valueCodec) {
    requireNonNull(keyCodec);
    requireNonNull(valueCodec);
    return new FileLog<>(
        new LogDirectory(new FileDisk(), requireNonNull(directory))
            .withCodecs(CodecNames.of(keyCodec, valueCodec)),
        keyCodec,
        valueCodec,
        LogSettings.Options.DEFAULT,
        LogSettings.Options.DEFAULT.settings(),
        LogThreads.daemons());
  }

  static <K, V> FileLog<K, V> open(
      Disk disk,
      Path folder,
      Codec<K> keyCodec,
      Codec<V> valueCodec,
      LogSettings settings,
      LogThreads threads) {
    return new FileLog<>(
        new LogDirectory(disk, folder).withCodecs(CodecNames.of(keyCodec, valueCodec)),
        keyCodec,
        valueCodec,
        LogSettings.Options.DEFAULT,
        settings,
        threads);
  }

  // ---- Settings

  /**
   * Describes this log with another durability: when a change is acknowledged. The default is
   * {@link Durability#PROCESS_DEATH}.
   *
   * @throws IllegalStateException if a map has this log already, as for the other settings
   */
  public FileLog<K, V> durability(Durability durability) {
    return with(options.withDurability(requireNonNull(durability)));
  }

  /**
   * Describes this log with another limit for the bytes of a key and its value together. The
   * default is 4 MiB less 40 bytes, the largest 64 MiB less 40. A larger one costs disk space and
   * page cache: the ring takes at least one and a half times as many bytes, all written when the
   * log is opened.
   *
   * @throws IllegalArgumentException if the limit is out of that range
   */
  public FileLog<K, V> maximumEntryBytes(int bytes) {
    return with(options.withEntryBytesMax(bytes));
  }

  /**
   * Describes this log with another length up to which changes may collect behind the saved
   * entries. The default is 96 MiB. The log begins to save the entries anew at two thirds of it. So
   * a long log costs less writing, and more of the disk and of the next opening. The folder never
   * holds more than twice the entries, this length and 32 MiB. Where the entries take more than
   * five thirds of this length, it is three times the entries, less two thirds of this length, and
   * 32 MiB.
   *
   * <p>Writers that are slowed down by compactions, for example while they overwrite a million
   * entries at full speed, are the reason to choose a longer one: three times the bytes of the
   * entries, say.
   *
   * @throws IllegalArgumentException if the length is not from 32 MiB to 1 PiB
   */
  public FileLog<K, V> maximumLogBytes(long bytes) {
    return with(options.withLogBytesMax(bytes));
  }

  /**
   * Describes this log with another rate, in bytes a second, at which a compaction writes if that
   * keeps the folder's bound. The default is 64 MiB. A lower rate leaves more of the disk to
   * writers, and keeps the folder larger for longer.
   *
   * @throws IllegalArgumentException if the rate is not positive
   */
  public FileLog<K, V> compactionBytesPerSecond(long bytes) {
    return with(options.withCompactionBytesPerSecond(bytes));
  }

  /**
   * Describes this log with another number of threads that read and decode it at its opening. The
   * default is the number of processors. The threads end with the opening, and a short log needs
   * only one. All of them call the codecs.
   *
   * @throws IllegalArgumentException if the number is not positive
   */
  public FileLog<K, V> recoveryThreads(int threads) {
    return with(options.withRecoveryThreads(threads));
  }

  private synchronized FileLog<K, V> with(LogSettings.Options changed) {
    if (closed || openLog != null) {
      throw new IllegalStateException("the settings of a log are given before a map opens it");
    }
    return new FileLog<>(directory, keyCodec, valueCodec, changed, changed.settings(), threads);
  }

  // ---- The life of a log

  /**
   * {@inheritDoc}
   *
   * @throws LogException.Locked if this process or another one uses the folder
   * @throws LogException.Failed if the folder cannot be created or used
   * @throws LogException.Corrupt if the log is damaged
   * @throws IllegalStateException if a map has this log already, or the log is closed
   */
  @Override
  public synchronized RecoveryReport replay(ReplayHandler<K, V> handler) {
    if (closed || openLog != null) {
      throw new IllegalStateException(
          closed ? "the log is closed" : "the log is open already, for another map");
    }
    HeldFolder taken = HeldFolder.acquire(directory);
    held = taken;
    boolean replayed = false;
    try {
      RecoveryReport report =
          UninterruptibleThread.call("pensieve-recovery", () -> recover(handler, taken));
      replayed = true;
      threads.operator().opened(report);
      return report;
    } catch (IOException broken) {
      throw HeldFolder.failed("cannot recover the log in " + directory.folder(), broken);
    } finally {
      if (!replayed) {
        unlock();
      }
    }
  }

  private RecoveryReport recover(ReplayHandler<K, V> handler, HeldFolder taken) throws IOException {
    long start = System.nanoTime();
    Recovery.Result result =
        new Recovery<>(taken.directory(), keyCodec, valueCodec, handler, settings.recovery()).run();
    OpenLog.Opened opened =
        OpenLog.begin(taken.directory(), taken.lock(), settings, threads, () -> closed, result);
    openLog = opened.openLog();
    return new RecoveryReport(
        result.changes(),
        result.bytes(),
        result.recovered().clean(),
        opened.start().tornTail(),
        Duration.ofNanos(System.nanoTime() - start));
  }

  OpenLog openLog() {
    OpenLog current = openLog;
    if (current == null) {
      throw new IllegalStateException("not replayed yet");
    }
    return current;
  }

  @Override
  public synchronized void attach(LiveEntries<K, V> live) {
    OpenLog current = openLog();
    if (closed || compactor != null) {
      throw new IllegalStateException("has a map already, or is closed");
    }
    Compactor<K, V> started =
        new Compactor<>(current.surroundings(threads), keyCodec, valueCodec, live, current.begun());
    compactor = started;
    started.catchUp();
    threads.compactor().execute(started);
  }

  /**
   * {@inheritDoc} A function that computes a value of the map must not call it.
   *
   * @throws LogException.Failed if the log has failed
   * @throws IllegalStateException if no map is open on this log
   */
  @Override
  public void compact() {
    try {
      JobQueue.await(mapsCompactor().request(), "could not compact " + directory.folder());
    } catch (IllegalStateException refused) {
      openLog().durablePosition().checkNotFailed();
      throw refused;
    }
  }

  /**
   * {@inheritDoc} The copy counts as closed. A backup runs at a compaction's rate, and in its
   * place. A function that computes a value of the map must not call this.
   *
   * @throws LogException if the folder is in use, or the log is damaged or has failed
   * @throws IllegalStateException if no map is open on this log, or it was closed meanwhile
   */
  @Override
  public void backup(Path folder) {
    JobQueue.await(mapsCompactor().requestBackup(folder), "could not back up to " + folder);
  }

  private Compactor<K, V> mapsCompactor() {
    Compactor<K, V> current = compactor;
    if (current == null) {
      throw new IllegalStateException("no map is open on this log");
    }
    return current;
  }

  /**
   * Reports the log's work since it was opened, and its state. Cheap, and never waits.
   *
   * @throws IllegalStateException if the log was not replayed yet
   */
  @Override
  public LogStatistics statistics() {
    OpenLog current = openLog();
    Compactor<K, V> compacting = compactor;
    return compacting == null
        ? current.statistics(current.begun(), CompactionStatistics.NONE)
        : current.statistics(compacting.schedule().size(), compacting.schedule().statistics());
  }

  @Override
  public long append(Change<K, V> change) {
    OpenLog current = openLog();
    FrameEncoder draft = FrameEncoder.of(change, keyCodec, valueCodec);
    try {
      long entryBytes = draft.entryBytes();
      if (entryBytes > settings.entryBytesMax()) {
        throw new IllegalArgumentException(
            "key and value have "
                + entryBytes
                + " bytes, more than the log's maximum of "
                + settings.entryBytesMax());
      }
      int bytes = Format.align((int) draft.length());
      return current.append(draft, change instanceof Change.Put) + bytes;
    } finally {
      draft.clear();
    }
  }

  /** {@inheritDoc} At most a second, and less if the compaction advances meanwhile. */
  @Override
  public void throttle() {
    OpenLog current = openLog;
    if (current != null) {
      current.throttle();
    }
  }

  /**
   * {@inheritDoc} Together the changes must fit into the limit of one entry (see {@link
   * #maximumEntryBytes}), each with up to 31 bytes besides its key and value. When the disk is
   * almost full, a batch with a put is refused like a put.
   */
  @Override
  public long[] appendAtomically(List<Change<K, V>> changes) {
    OpenLog current = openLog();
    BatchFrame batch = BatchFrame.of(changes, keyCodec, valueCodec, settings.entryBytesMax());
    FrameEncoder draft = FrameEncoder.of(batch);
    try {
      long[] sequences = batch.ends();
      long position = current.append(draft, batch.hasPut());
      for (int i = 0; i < sequences.length; i++) {
        sequences[i] += position;
      }
      return sequences;
    } finally {
      draft.clear();
    }
  }

  /**
   * {@inheritDoc} A stream keeps one file open. It takes memory only while it reads: 64 KiB, or the
   * length of the longest change. It reads the log's files. So at {@link Durability#PROCESS_DEATH}
   * it delivers a change some milliseconds after {@link #append} returns.
   *
   * @throws IllegalStateException if the log was not replayed yet, or is closed
   */
  @Override
  public ChangeStream<K, V> changes() {
    return stream(openLog().watermark().acknowledged());
  }

  /**
   * {@inheritDoc} Otherwise as {@link #changes()}. Changes that a power cut took from a log of
   * level {@link Durability#PROCESS_DEATH} count as truncated, too: a stream may have delivered
   * them.
   *
   * @throws IllegalStateException if the log was not replayed yet, or is closed
   */
  @Override
  public ChangeStream<K, V> changes(long since) {
    if (since < 0) {
      throw new IllegalArgumentException("no change has a sequence below 0: " + since);
    }
    long appended = openLog().watermark().appended();
    if (since > appended) {
      throw new LogException.HistoryTruncated(since, appended);
    }
    return stream(since);
  }

  private ChangeStream<K, V> stream(long since) {
    HeldFolder own = held;
    if (closed || own == null) {
      throw new IllegalStateException("the log is closed");
    }
    return new SegmentStream<>(own.directory(), openLog().watermark(), keyCodec, valueCodec, since);
  }

  @Override
  public long durableSequence() {
    if (settings.durability() == Durability.PROCESS_DEATH) {
      return Long.MAX_VALUE;
    }
    // Maps call this before they replay, to learn whether they will ever have to wait.
    OpenLog current = openLog;
    return current == null ? 0 : current.durablePosition().durable();
  }

  @Override
  public void awaitDurable(long sequence) {
    if (durableSequence() < sequence) {
      OpenLog current = openLog();
      current.durablePosition().await(sequence, current.logWriter()::wake);
    }
  }

  @Override
  public CompletableFuture<Void> whenDurable(long sequence) {
    if (durableSequence() >= sequence) {
      return DONE;
    }
    OpenLog current = openLog();
    return current.durablePosition().whenReached(sequence, current.logWriter()::wake);
  }

  /**
   * {@inheritDoc}
   *
   * @throws LogException.Failed if the log could not write and force everything
   */
  @Override
  public synchronized void close() {
    closed = true;
    if (unlocked) {
      return;
    }
    OpenLog current = openLog;
    Compactor<K, V> compacting = compactor;
    // An exception here leaves the folder locked, since a thread may still work in it. The next
    // call to close continues.
    try {
      if (compacting != null) {
        compacting.stop();
      }
    } finally {
      if (current != null) {
        current.end();
      }
    }
    unlocked = true;
    unlock();
    if (current != null) {
      current.durablePosition().checkNotFailed();
    }
  }

  private void unlock() {
    HeldFolder own = held;
    held = null;
    if (own != null) {
      own.release();
    }
  }
}
