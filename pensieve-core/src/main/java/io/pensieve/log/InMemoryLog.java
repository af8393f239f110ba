package io.pensieve.log;

import io.pensieve.annotation.GuardedBy;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A log that keeps the most recent changes in memory, for change streams, and nothing else.
 *
 * <p>This object's monitor guards the ring and the streams' positions in it. A thread holds it for
 * a few steps; a stream holds it while it copies the changes to deliver next. A change is
 * acknowledged once it is in the ring.
 *
 * <p>Sequence numbers start at the time of day. So the numbers from an earlier process, which a
 * reader may still have, are smaller. Such a reader gets {@code HistoryTruncated} instead of
 * missing changes.
 */
final class InMemoryLog<K, V> implements Log<K, V> {
  static final int CHANGES_MAX = 1 << 24;

  // A log that appends faster than this in the long run may repeat a number after a restart.
  private static final int NUMBERS_PER_MILLISECOND = 1 << 10;
  private static final int TOLD_MAX = 256;
  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  private final int changesMax;
  private final long weightMax;
  private final ToLongFunction<? super Change<K, V>> weigher;
  private final long begin;

  // A ring once it is full: a change's index is its number minus the first one, modulo the size.
  @GuardedBy("this")
  private final List<@Nullable Change<K, V>> ring = new ArrayList<>();

  @GuardedBy("this")
  private int retained;

  @GuardedBy("this")
  private long weight;

  @GuardedBy("this")
  private long last;

  @GuardedBy("this")
  private int waiting;

  @GuardedBy("this")
  private boolean replayed;

  @GuardedBy("this")
  private boolean closed;

  InMemoryLog(
      int changesMax,
      long weightMax,
      ToLongFunction<? super Change<K, V>> weigher,
      InstantSource clock) {
    if (changesMax < 1 || changesMax > CHANGES_MAX) {
      throw new IllegalArgumentException(
          "changes must be from 1 to " + CHANGES_MAX + ": " + changesMax);
    }
    if (weightMax < 1) {
      throw new IllegalArgumentException("the weight must be at least 1: " + weightMax);
    }
    this.changesMax = changesMax;
    this.weightMax = weightMax;
    this.weigher = weigher;
    this.begin = Math.max(0, clock.millis()) * NUMBERS_PER_MILLISECOND;
    this.last = begin;
  }

  @Override
  public synchronized RecoveryReport replay(ReplayHandler<K, V> handler) {
    checkOpen();
    if (replayed) {
      throw new IllegalStateException("the log is open already, for another map");
    }
    replayed = true;
    return RecoveryReport.empty();
  }

  // A touch only matters to a replay, which this log does not have: it would only displace a
  // change.
  @Override
  public synchronized long append(Change<K, V> change) {
    checkOpen();
    if (change instanceof Change.Touch) {
      return last;
    }
    add(change, weigh(change));
    wakeStreams();
    return last;
  }

  @Override
  public synchronized long[] appendAtomically(List<Change<K, V>> changes) {
    checkOpen();
    requireReplayedChanges(changes);
    long[] weights = changes.stream().mapToLong(this::weigh).toArray();
    long[] sequences = new long[changes.size()];
    for (int i = 0; i < sequences.length; i++) {
      add(changes.get(i), weights[i]);
      sequences[i] = last;
    }
    wakeStreams();
    return sequences;
  }

  private static void requireReplayedChanges(List<? extends Change<?, ?>> changes) {
    if (changes.isEmpty() || changes.stream().anyMatch(change -> change instanceof Change.Touch)) {
      throw new IllegalArgumentException("no changes, or a touch among them");
    }
  }

  @GuardedBy("this")
  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the log is closed");
    }
  }

  private long weigh(Change<K, V> change) {
    long weighed = weigher.applyAsLong(change);
    if (weighed < 0) {
      throw new IllegalArgumentException("a change has a weight below zero: " + weighed);
    }
    return weighed;
  }

  @GuardedBy("this")
  private void add(Change<K, V> change, long weighed) {
    if (retained == changesMax) {
      dropOldest();
    }
    last++;
    int place = place(last);
    if (place == ring.size()) {
      ring.add(change);
    } else {
      ring.set(place, change);
    }
    retained++;
    weight += weighed;
    // The last change stays whatever it weighs: the waiting streams must get it.
    while (weight > weightMax && retained > 1) {
      dropOldest();
    }
  }

  @GuardedBy("this")
  private void dropOldest() {
    int place = place(last - retained + 1);
    weight -= weigh(retained(place));
    ring.set(place, null);
    retained--;
  }

  @GuardedBy("this")
  private Change<K, V> retained(int place) {
    return Objects.requireNonNull(ring.get(place), "forgotten");
  }

  private int place(long sequence) {
    return (int) ((sequence - begin - 1) % changesMax);
  }

  @GuardedBy("this")
  private void wakeStreams() {
    if (waiting > 0) {
      notifyAll();
    }
  }

  @Override
  public synchronized ChangeStream<K, V> changes() {
    checkOpen();
    return new RecentChangeStream(last);
  }

  @Override
  public synchronized ChangeStream<K, V> changes(long since) {
    checkOpen();
    if (since < 0) {
      throw new IllegalArgumentException("since must be 0 or more: " + since);
    }
    if (since > last) {
      throw new LogException.HistoryTruncated(
          since, last); // from an earlier process, whose clock was ahead
    }
    long place = since == 0 ? begin : since; // 0 is before every change of this log
    checkRetained(place);
    return new RecentChangeStream(place);
  }

  @GuardedBy("this")
  private void checkRetained(long since) {
    long oldest = last - retained;
    if (since < oldest) {
      throw new LogException.HistoryTruncated(since, oldest);
    }
  }

  @Override
  public long durableSequence() {
    return Long.MAX_VALUE;
  }

  @Override
  public void awaitDurable(long sequence) {}

  @Override
  public CompletableFuture<Void> whenDurable(long sequence) {
    return DONE;
  }

  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  private final class RecentChangeStream implements ChangeStream<K, V> {
    @GuardedBy("InMemoryLog.this")
    private long told;

    @GuardedBy("InMemoryLog.this")
    private boolean streamClosed;

    RecentChangeStream(long since) {
      told = since;
    }

    @Override
    public List<Sequenced<K, V>> next(Duration patience) throws InterruptedException {
      synchronized (InMemoryLog.this) {
        long begun = System.nanoTime();
        long patienceNanos = TimeUnit.NANOSECONDS.convert(patience);
        while (!streamClosed) {
          checkRetained(told);
          if (told < last) {
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

    @GuardedBy("InMemoryLog.this")
    private List<Sequenced<K, V>> deliver() {
      List<Sequenced<K, V>> next = new ArrayList<>();
      while (told < last && next.size() < TOLD_MAX) {
        told++;
        next.add(new Sequenced<>(told, retained(place(told))));
      }
      return next;
    }

    @GuardedBy("InMemoryLog.this")
    private void await(long nanos) throws InterruptedException {
      waiting++;
      try {
        TimeUnit.NANOSECONDS.timedWait(InMemoryLog.this, nanos);
      } finally {
        waiting--;
      }
    }

    @Override
    public long sequence() {
      synchronized (InMemoryLog.this) {
        return told;
      }
    }

    @Override
    public void close() {
      synchronized (InMemoryLog.this) {
        streamClosed = true;
        InMemoryLog.this.notifyAll();
      }
    }
  }
}
