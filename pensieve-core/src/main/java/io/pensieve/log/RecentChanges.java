package io.pensieve.log;

import io.pensieve.annotation.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The most recent changes of a log, in memory, for its {@linkplain Log#changes() streams}. For logs
 * that have no other history to read: the sequence numbers are given, ascend, and may have gaps.
 *
 * <p>A ring: the oldest changes make room for new ones. A stream that needs a change which is gone
 * throws {@link LogException.HistoryTruncated}. The reader sets the pace: a slow stream holds
 * nothing.
 *
 * <p>Thread-safe. This object's monitor guards the ring and the streams' positions in it. A thread
 * holds it for a few steps; a stream holds it while it copies the changes to deliver next.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class RecentChanges<K, V> implements AutoCloseable {
  static final int CHANGES_MAX = 1 << 24;

  private static final int DELIVERED_MAX = 256; // in one call of next
  private static final int PLACES_AT_FIRST = 16;

  private final int changesMax;
  private final long weightMax;
  private final ToLongFunction<? super Change<K, V>> weigher;

  // A ring once it is full. The changes that were ever added have ascending indexes; the place of
  // one is its index modulo `changesMax`. The last `retained` ones are there.
  @GuardedBy("this")
  private final List<@Nullable Change<K, V>> ring = new ArrayList<>();

  @GuardedBy("this")
  private long[] sequences = new long[PLACES_AT_FIRST]; // by place

  @GuardedBy("this")
  private long[] weights = new long[PLACES_AT_FIRST]; // by place

  @GuardedBy("this")
  private long added;

  @GuardedBy("this")
  private int retained;

  @GuardedBy("this")
  private long weight;

  @GuardedBy("this")
  private long last; // sequence

  @GuardedBy("this")
  private long forgotten; // every change after this sequence is there

  @GuardedBy("this")
  private int waiting;

  @GuardedBy("this")
  private @Nullable Supplier<? extends RuntimeException> refusal; // not null once closed

  /**
   * Creates an empty store.
   *
   * @param changes how many are kept at most, from 1 to 16,777,216
   * @param weight their maximum total weight, 1 or more; the last change is kept whatever it weighs
   * @param weigher returns the weight of a change, 0 or more
   * @param last the sequence number before the first change: 0, or where an earlier history ended
   * @throws IllegalArgumentException if a number is out of its range
   */
  public RecentChanges(
      int changes, long weight, ToLongFunction<? super Change<K, V>> weigher, long last) {
    if (changes < 1 || changes > CHANGES_MAX) {
      throw new IllegalArgumentException(
          "changes must be from 1 to " + CHANGES_MAX + ": " + changes);
    }
    if (weight < 1) {
      throw new IllegalArgumentException("the weight must be at least 1: " + weight);
    }
    if (last < 0) {
      throw new IllegalArgumentException("the last sequence must be 0 or more: " + last);
    }
    this.changesMax = changes;
    this.weightMax = weight;
    this.weigher = weigher;
    this.last = last;
    this.forgotten = last;
  }

  /**
   * Adds a change, for all streams. A touch is ignored: streams do not deliver it.
   *
   * @throws IllegalArgumentException if the sequence number is not above the last one
   * @throws RuntimeException if this is closed: the reason, by default an {@link
   *     IllegalStateException}
   */
  public synchronized void add(long sequence, Change<K, V> change) {
    checkOpen();
    addAfterLast(sequence, change, weigh(change));
    wakeStreams();
  }

  /** As {@link #add} for each; no stream sees some of them before all are here. */
  public synchronized void addAll(List<ChangeStream.Sequenced<K, V>> changes) {
    checkOpen();
    for (ChangeStream.Sequenced<K, V> change : changes) {
      addAfterLast(change.sequence(), change.change(), weigh(change.change()));
    }
    wakeStreams();
  }

  /** As {@link #addAll(List)}, with the weight of each of them, 0 or more. */
  public synchronized void addAll(List<ChangeStream.Sequenced<K, V>> changes, long weightOfEach) {
    checkOpen();
    requireWeight(weightOfEach);
    for (ChangeStream.Sequenced<K, V> change : changes) {
      addAfterLast(change.sequence(), change.change(), weightOfEach);
    }
    wakeStreams();
  }

  /** Adds a change with the next number, and returns that; for a touch, the last number. */
  synchronized long append(Change<K, V> change) {
    add(last + 1, change);
    return last;
  }

  /** As {@link #append} for each, all at once. None may be a touch. */
  synchronized long[] appendAll(List<Change<K, V>> changes) {
    checkOpen();
    long[] weights = changes.stream().mapToLong(this::weigh).toArray();
    long[] given = new long[weights.length];
    for (int i = 0; i < given.length; i++) {
      given[i] = last + 1;
      keep(given[i], changes.get(i), weights[i]);
    }
    wakeStreams();
    return given;
  }

  @GuardedBy("this")
  private void addAfterLast(long sequence, Change<K, V> change, long weighed) {
    if (sequence <= last) {
      throw new IllegalArgumentException("the change " + sequence + " comes after " + last);
    }
    if (!(change instanceof Change.Touch)) {
      keep(sequence, change, weighed);
    }
  }

  synchronized void checkOpen() {
    Supplier<? extends RuntimeException> reason = refusal;
    if (reason != null) {
      throw reason.get();
    }
  }

  private long weigh(Change<K, V> change) {
    return requireWeight(weigher.applyAsLong(change));
  }

  private static long requireWeight(long weighed) {
    if (weighed < 0) {
      throw new IllegalArgumentException("a change has a weight below zero: " + weighed);
    }
    return weighed;
  }

  @GuardedBy("this")
  private void keep(long sequence, Change<K, V> change, long weighed) {
    if (retained == changesMax) {
      dropOldest();
    }
    int place = place(added);
    if (place == sequences.length) {
      sequences = Arrays.copyOf(sequences, (int) Math.min(2L * place, CHANGES_MAX));
      weights = Arrays.copyOf(weights, sequences.length);
    }
    if (place == ring.size()) {
      ring.add(change);
    } else {
      ring.set(place, change);
    }
    sequences[place] = sequence;
    weights[place] = weighed;
    added++;
    retained++;
    weight += weighed;
    last = sequence;
    // The last change stays whatever it weighs: the waiting streams must get it.
    while (weight > weightMax && retained > 1) {
      dropOldest();
    }
  }

  @GuardedBy("this")
  private void dropOldest() {
    int place = place(added - retained);
    weight -= weights[place];
    forgotten = sequences[place];
    ring.set(place, null);
    retained--;
  }

  @GuardedBy("this")
  private Change<K, V> retained(int place) {
    return Objects.requireNonNull(ring.get(place), "forgotten");
  }

  private int place(long index) {
    return (int) (index % changesMax);
  }

  @GuardedBy("this")
  private void wakeStreams() {
    if (waiting > 0) {
      notifyAll();
    }
  }

  /**
   * Forgets all changes: the history goes on after this sequence number, and what was between is
   * not known here. Streams that have not reached it throw {@link LogException.HistoryTruncated}.
   *
   * @throws IllegalArgumentException if the number is below that of the last change
   */
  public synchronized void reset(long sequence) {
    if (sequence < last) {
      throw new IllegalArgumentException("a reset to " + sequence + " comes after " + last);
    }
    ring.clear();
    retained = 0;
    added = 0;
    weight = 0;
    last = sequence;
    forgotten = sequence;
    notifyAll();
  }

  /** The sequence number of the last change, or where this store began or was reset. */
  public synchronized long last() {
    return last;
  }

  /** Opens a stream of the changes that are added after this call. */
  public synchronized ChangeStream<K, V> changes() {
    checkOpen();
    return new RecentChangeStream(last);
  }

  /**
   * Opens a stream of the changes with a larger sequence number than this.
   *
   * @param since 0 or more
   * @throws LogException.HistoryTruncated if changes after that number are forgotten, or if it is
   *     above the last one
   * @throws IllegalArgumentException if {@code since} is negative
   */
  public synchronized ChangeStream<K, V> changes(long since) {
    checkOpen();
    if (since < 0) {
      throw new IllegalArgumentException("since must be 0 or more: " + since);
    }
    if (since > last) {
      throw new LogException.HistoryTruncated(since, last);
    }
    checkRetained(since);
    return new RecentChangeStream(since);
  }

  @GuardedBy("this")
  private void checkRetained(long since) {
    if (since < forgotten) {
      throw new LogException.HistoryTruncated(since, forgotten);
    }
  }

  /** Ends all streams, once they have delivered everything. A second call does nothing. */
  @Override
  public void close() {
    close(() -> new IllegalStateException("the log is closed"));
  }

  /**
   * As {@link #close()}, for a reason: it is thrown by streams that have delivered everything, and
   * by whoever adds a change or opens a stream. The first reason counts.
   *
   * @param reason returns a new exception
   */
  public synchronized void close(Supplier<? extends RuntimeException> reason) {
    if (refusal == null) {
      refusal = reason;
    }
    notifyAll();
  }

  // The index of the first change that is there and has a larger sequence.
  @GuardedBy("this")
  private long indexAfter(long sequence) {
    long low = added - retained;
    long high = added;
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (sequences[place(middle)] <= sequence) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private final class RecentChangeStream implements ChangeStream<K, V> {
    @GuardedBy("RecentChanges.this")
    private long delivered;

    @GuardedBy("RecentChanges.this")
    private boolean streamClosed;

    RecentChangeStream(long since) {
      delivered = since;
    }

    @Override
    public List<Sequenced<K, V>> next(Duration patience) throws InterruptedException {
      synchronized (RecentChanges.this) {
        long begun = System.nanoTime();
        long patienceNanos = TimeUnit.NANOSECONDS.convert(patience);
        while (!streamClosed) {
          checkRetained(delivered);
          if (delivered < last) {
            return deliver();
          }
          checkOpen();
          long left = patienceNanos - (System.nanoTime() - begun);
          if (left <= 0) {
            return List.of();
          }
          await(left);
        }
        return List.of();
      }
    }

    @GuardedBy("RecentChanges.this")
    private List<Sequenced<K, V>> deliver() {
      List<Sequenced<K, V>> next = new ArrayList<>();
      for (long i = indexAfter(delivered); i < added && next.size() < DELIVERED_MAX; i++) {
        int place = place(i);
        delivered = sequences[place];
        next.add(new Sequenced<>(delivered, retained(place)));
      }
      return next;
    }

    @GuardedBy("RecentChanges.this")
    private void await(long nanos) throws InterruptedException {
      waiting++;
      try {
        TimeUnit.NANOSECONDS.timedWait(RecentChanges.this, nanos);
      } finally {
        waiting--;
      }
    }

    @Override
    public long sequence() {
      synchronized (RecentChanges.this) {
        return delivered;
      }
    }

    @Override
    public void close() {
      synchronized (RecentChanges.this) {
        streamClosed = true;
        RecentChanges.this.notifyAll();
      }
    }
  }
}
