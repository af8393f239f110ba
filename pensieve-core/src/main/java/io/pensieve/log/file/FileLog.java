package io.pensieve.log.file;

import static java.util.Objects.requireNonNull;

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
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A log in a folder of its own. All of the folder belongs to it, the file {@code ring} included:
 * what was acknowledged last may be there only.
 *
 * <p>Takes entries of up to 4 MiB unless {@linkplain Builder#maximumEntryBytes told} otherwise.
 * Appends wait while the disk is slower than the writers. They need no system call at {@link
 * Durability#PROCESS_DEATH}. An interrupt never harms a log; the flag is kept.
 *
 * <p>Compacts itself while it is in use: when its changes take 64 MiB, or about two thirds as much
 * room as the entries where these are many, it saves the entries and forgets the changes before. So
 * the folder never holds more than twice the entries and 128 MiB, or three times the entries where
 * that is more, each entry with its key, its value and up to 47 bytes. (A larger {@link
 * Builder#maximumEntryBytes} adds what it does to the ring.) Writers that append more than a third
 * of that log while it is being compacted are slowed down until it is. If saving fails, the log
 * goes on and grows, and tries again later, less and less often: {@link #statistics} tell.
 *
 * <p>Keeps its folder against other processes, other class loaders, and others of its own; a log
 * whose folder is deleted, replaced or taken all the same fails at its next force, and within 100
 * ms or so. Files are made for their owner only (0600, folders 0700).
 *
 * <p>A write or a force that fails is final: every later append is a {@link LogException.Failed},
 * and only opening the folder again recovers. When less than 64 MiB are left on the folder's volume
 * (a sixteenth of it, where that is less), puts are refused with {@link LogException.Full} while
 * removals go on; with room again, so do puts. {@link #statistics} tell whether and why.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class FileLog<K, V> implements Log<K, V> {
  // States: NEW, REPLAYED by replay, CLOSED by close, in this order; guarded by this. A new log
  // holds nothing: replay makes and locks the folder, and lets go of all if it fails. Appends do
  // not read the state but the ring, whose seal ends them: see RingBuffer.

  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  private final LogDirectory directory;
  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final Settings settings;
  private final LogThreads threads;
  private volatile @Nullable HeldFolder held; // from replay until close; stored under this
  private volatile @Nullable OpenLog openLog; // from replay on
  private volatile @Nullable Compactor<K, V> compactor; // from compactFrom on
  private volatile boolean closed; // stored under this, before the ring is sealed for it
  private boolean unlocked; // guarded by this; nobody works in the folder any more

  /** What a builder sets. */
  record Settings(
      SequenceOrigin origin,
      Durability durability,
      int ringBytes,
      int entryBytesMax,
      long segmentBytes,
      long lowWaterBytes,
      Compactor.Settings compaction,
      ReplayPipeline.Settings recovery) {}

  private FileLog(
      LogDirectory directory,
      Codec<K> keyCodec,
      Codec<V> valueCodec,
      Settings settings,
      LogThreads threads) {
    ClassInitialization.ensure();
    this.directory = directory;
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.settings = settings;
    this.threads = threads;
  }

  /**
   * The log in a folder, for a map to open it. This call touches nothing: {@link #replay}, which
   * the map calls when it is opened itself, makes the folder where needed, and locks it.
   */
  public static <K, V> FileLog<K, V> open(
      Path directory, Codec<K> keyCodec, Codec<V> valueCodec, Durability durability) {
    return builder(directory, keyCodec, valueCodec).durability(durability).open();
  }

  /** A log with other settings than the usual ones. */
  public static <K, V> Builder<K, V> builder(
      Path directory, Codec<K> keyCodec, Codec<V> valueCodec) {
    return new Builder<>(directory, keyCodec, valueCodec);
  }

  static <K, V> FileLog<K, V> open(
      Disk disk,
      Path folder,
      Codec<K> keyCodec,
      Codec<V> valueCodec,
      Settings settings,
      LogThreads threads) {
    return new FileLog<>(
        new LogDirectory(disk, folder).withCodecs(CodecNames.of(keyCodec, valueCodec)),
        keyCodec,
        valueCodec,
        settings,
        threads);
  }

  /**
   * {@inheritDoc}
   *
   * @throws LogException.Locked if the folder is in use, by this process or another one
   * @throws LogException.Failed if the folder cannot be made or used
   * @throws LogException.Corrupt if the log is damaged
   * @throws IllegalStateException if a map has this log already, or it is closed
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
   * Compacts now, and returns when the history before this call is replaced by the entries that it
   * led to. Not needed for the log's own sake: it compacts itself when that is due. Not to be
   * called by a function that computes a value of the map.
   *
   * @throws java.io.UncheckedIOException if the entries could not be written, for example because
   *     the disk is full; the log goes on as it was
   * @throws LogException.Failed if the log has failed
   * @throws IllegalStateException if there is no open map on this log
   */
  public void compact() {
    try {
      BackupQueue.await(mapsCompactor().request(), "could not compact " + directory.folder());
    } catch (IllegalStateException refused) {
      openLog().durablePosition().checkNotFailed();
      throw refused;
    }
  }

  /**
   * {@inheritDoc} The copy counts as closed. It is made at the rate of a compaction, and instead of
   * one. Not to be called by a function that computes a value of the map.
   *
   * @throws LogException if the folder is in use, the log is damaged, or has failed
   * @throws IllegalStateException if no map is open on this log, or it was closed meanwhile
   */
  @Override
  public void backup(Path folder) {
    BackupQueue.await(mapsCompactor().requestBackup(folder), "could not back up to " + folder);
  }

  private Compactor<K, V> mapsCompactor() {
    Compactor<K, V> current = compactor;
    if (current == null) {
      throw new IllegalStateException("no map is open on this log");
    }
    return current;
  }

  /**
   * What the log has done since it was opened, and how it stands. Cheap, and never waits.
   *
   * @throws IllegalStateException if the log was not replayed yet
   */
  @Override
  public LogStatistics statistics() {
    OpenLog current = openLog();
    Compactor<K, V> compacting = compactor;
    return compacting == null
        ? current.statistics(current.begun(), CompactionStatistics.NONE)
        : current.statistics(compacting.extent(), compacting.tally());
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

  /** {@inheritDoc} A second at most, and less if the compaction comes on meanwhile. */
  @Override
  public void throttle() {
    OpenLog current = openLog;
    if (current != null) {
      current.throttle();
    }
  }

  /**
   * {@inheritDoc} Together they must fit into what one entry may have (see {@link
   * Builder#maximumEntryBytes}), each with up to 31 bytes besides its key and value. With a put
   * among them they are refused like a put when the disk is almost full.
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
   * {@inheritDoc} A stream has a file open, and takes memory only while it reads: 64 KiB, or as
   * much as the longest change. What it tells is in a file of the log, so at {@link
   * Durability#PROCESS_DEATH} it comes some milliseconds later than {@link #append} returns.
   *
   * @throws IllegalStateException if the log was not replayed yet, or is closed
   */
  @Override
  public ChangeStream<K, V> changes() {
    return stream(openLog().watermark().acknowledged());
  }

  /**
   * {@inheritDoc} Otherwise as {@link #changes()}. What a power cut took from a log of the level
   * {@link Durability#PROCESS_DEATH} counts as forgotten, too: somebody may have been told of it.
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
    // A map asks already before it has replayed, to learn whether it will ever have to wait.
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
   * @throws LogException.Failed if not everything could be written and forced
   */
  @Override
  public synchronized void close() {
    closed = true;
    if (unlocked) {
      return;
    }
    OpenLog current = openLog;
    Compactor<K, V> compacting = compactor;
    // Whatever is thrown here leaves the folder locked, for somebody may still work in it: the next
    // call goes on with it.
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

  /** Settings of a log, each checked when it is given. */
  public static final class Builder<K, V> {
    private static final int FRAME_OVERHEAD_BYTES = Format.FRAME_HEADER_BYTES + Format.EXPIRY_BYTES;
    private static final int ENTRY_BYTES_MAX = Format.FRAME_BYTES_MAX - FRAME_OVERHEAD_BYTES;
    private static final int RING_BYTES_MIN = 8 << 20;
    private static final long SEGMENT_BYTES = 16 << 20;
    // Up to three of these lie beside the log that counts: one begins before it, one is being
    // written, one is filled with zeros.
    private static final long ALLOCATED_SEGMENT_BYTES = 8 << 20;
    private static final long LOW_WATER_BYTES = 64 << 20;
    private static final long COMPACTION_LOG_BYTES = 96 << 20;
    private static final int COMPACTION_BATCH_BYTES = 256 << 10;
    private static final long HELD_BYTES_PER_SECOND = 1 << 20;

    private final Path directory;
    private final Codec<K> keyCodec;
    private final Codec<V> valueCodec;
    private Durability durability = Durability.PROCESS_DEATH;
    private int entryBytesMax = RING_BYTES_MIN / 2 - FRAME_OVERHEAD_BYTES;
    private long compactionBytesPerSecond = 64 << 20;
    private int recoveryThreads = Runtime.getRuntime().availableProcessors();

    private Builder(Path directory, Codec<K> keyCodec, Codec<V> valueCodec) {
      this.directory = requireNonNull(directory);
      this.keyCodec = requireNonNull(keyCodec);
      this.valueCodec = requireNonNull(valueCodec);
    }

    /** When a change counts as acknowledged; by default {@link Durability#PROCESS_DEATH}. */
    public Builder<K, V> durability(Durability durability) {
      this.durability = requireNonNull(durability);
      return this;
    }

    /**
     * The most bytes that a key and its value may have together; by default 4 MiB less 40 bytes, at
     * most 64 MiB less 40. A larger one costs disk space and page cache: at least one and a half
     * times as many bytes for the ring, which are written when the log is opened.
     */
    public Builder<K, V> maximumEntryBytes(int bytes) {
      if (bytes < 1 || bytes > ENTRY_BYTES_MAX) {
        throw new IllegalArgumentException(
            "maximumEntryBytes must be from 1 to " + ENTRY_BYTES_MAX + ": " + bytes);
      }
      this.entryBytesMax = bytes;
      return this;
    }

    /**
     * How many bytes a second the log writes while it compacts itself, as long as that is enough to
     * keep the folder's bound; by default 64 MiB. Less leaves more of the disk to the writers, and
     * the folder larger for longer.
     */
    public Builder<K, V> compactionBytesPerSecond(long bytes) {
      if (bytes < 1) {
        throw new IllegalArgumentException("compactionBytesPerSecond must be positive: " + bytes);
      }
      this.compactionBytesPerSecond = bytes;
      return this;
    }

    /**
     * How many threads read and decode the log while it is being opened; by default as many as
     * there are processors. They end with that, and short logs need only one. The codecs are called
     * by all of them.
     */
    public Builder<K, V> recoveryThreads(int threads) {
      if (threads < 1) {
        throw new IllegalArgumentException("recoveryThreads must be positive: " + threads);
      }
      this.recoveryThreads = threads;
      return this;
    }

    /** The log, for a map; as {@link FileLog#open(Path, Codec, Codec, Durability)}. */
    public FileLog<K, V> open() {
      int frameBytes = Format.align(entryBytesMax + FRAME_OVERHEAD_BYTES);
      // A power of two that the longest frame fills to two thirds at most: it must not wait for
      // (nearly) all others to be written before it fits.
      int ringBytes =
          Math.max(RING_BYTES_MIN, Integer.highestOneBit(frameBytes + frameBytes / 2 - 1) << 1);
      Settings settings =
          new Settings(
              SequenceOrigin.ofTime(InstantSource.system(), new SecureRandom()),
              durability,
              ringBytes,
              entryBytesMax,
              durability == Durability.POWER_CUT ? ALLOCATED_SEGMENT_BYTES : SEGMENT_BYTES,
              LOW_WATER_BYTES,
              new Compactor.Settings(
                  COMPACTION_LOG_BYTES,
                  COMPACTION_BATCH_BYTES,
                  compactionBytesPerSecond,
                  HELD_BYTES_PER_SECOND),
              ReplayPipeline.Settings.ofThreads(recoveryThreads));
      return FileLog.open(
          new FileDisk(), directory, keyCodec, valueCodec, settings, LogThreads.daemons());
    }
  }
}
