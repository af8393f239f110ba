package io.pensieve.replication;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.LogException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The most recent changes, for streams. The engine's thread adds them once they are acknowledged.
 *
 * <p>This object's monitor guards all of it, the streams' positions too. A thread holds it for a
 * few steps; a stream holds it while it copies the changes to deliver next.
 */
final class RecentChanges<K, V> {
  private static final int DELIVERED_MAX = 256;

  private record Kept<K, V>(Sequenced<K, V> change, int bytes) {}

  private final long bytesMax;

  // A change's place is its ordinal modulo the size. The kept ones are from `end - size` to `end`.
  @GuardedBy("this")
  private final @Nullable Kept<K, V>[] ring;

  @GuardedBy("this")
  private long end; // the ordinal of the next change

  @GuardedBy("this")
  private int size;

  @GuardedBy("this")
  private long bytes;

  @GuardedBy("this")
  private long oldest; // every change after this sequence number is kept

  @GuardedBy("this")
  private long last; // changes up to this sequence number are kept, or were

  @GuardedBy("this")
  private int waiting;

  @GuardedBy("this")
  private @Nullable Supplier<? extends RuntimeException> refusal; // not null once ended

  @SuppressWarnings("unchecked")
  RecentChanges(int changesMax, long bytesMax) {
    this.bytesMax = bytesMax;
    this.ring = (Kept<K, V>[]) new Kept<?, ?>[changesMax];
  }

  /** Forgets all: the map was replaced, and has everything up to this number. */
  synchronized void restart(long sequence) {
    while (size > 0) {
      dropOldest();
    }
    oldest = sequence;
    last = sequence;
    notifyAll();
  }

  /** Adds changes with ascending numbers. Their sizes are about the same. */
  synchronized void add(List<Sequenced<K, V>> changes, int bytesEach) {
    for (Sequenced<K, V> change : changes) {
      if (size == ring.length) {
        dropOldest();
      }
      ring[place(end)] = new Kept<>(change, bytesEach);
      end++;
      size++;
      bytes += bytesEach;
      last = change.sequence();
    }
    while (bytes > bytesMax && size > 1) {
      dropOldest();
    }
    if (waiting > 0) {
      notifyAll();
    }
  }

  @GuardedBy("this")
  private void dropOldest() {
    Kept<K, V> dropped = kept(end - size);
    ring[place(end - size)] = null;
    size--;
    bytes -= dropped.bytes();
    oldest = dropped.change().sequence();
  }

  @GuardedBy("this")
  private Kept<K, V> kept(long ordinal) {
    return Objects.requireNonNull(ring[place(ordinal)], "forgotten");
  }

  private int place(long ordinal) {
    return (int) (ordinal % ring.length);
  }

  /** No more changes will come. */
  synchronized void end(Supplier<? extends RuntimeException> why) {
    if (refusal == null) {
      refusal = why;
    }
    notifyAll();
  }

  synchronized ChangeStream<K, V> changes() {
    checkOpen();
    return new Stream(last);
  }

  synchronized ChangeStream<K, V> changes(long since) {
    checkOpen();
    if (since < 0) {
      throw new IllegalArgumentException("since must be 0 or more: " + since);
    } else if (since > last) {
      throw new LogException.HistoryTruncated(since, last); // of another cluster
    }
    checkKept(since);
    return new Stream(since);
  }

  @GuardedBy("this")
  private void checkOpen() {
    Supplier<? extends RuntimeException> why = refusal;
    if (why != null) {
      throw why.get();
    }
  }

  @GuardedBy("this")
  private void checkKept(long since) {
    if (since < oldest) {
      throw new LogException.HistoryTruncated(since, oldest);
    }
  }

  // The ordinal of the first kept change after this sequence number.
  @GuardedBy("this")
  private long ordinalAfter(long sequence) {
    long low = end - size;
    long high = end;
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (kept(middle).change().sequence() > sequence) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  private final class Stream implements ChangeStream<K, V> {
    @GuardedBy("RecentChanges.this")
    private long delivered;

    @GuardedBy("RecentChanges.this")
    private boolean closed;

    Stream(long since) {
      delivered = since;
    }

    @Override
    public List<Sequenced<K, V>> next(Duration patience) throws InterruptedException {
      synchronized (RecentChanges.this) {
        long begun = System.nanoTime();
        long patienceNanos = TimeUnit.NANOSECONDS.convert(patience);
        while (!closed) {
          checkKept(delivered);
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
      long ordinal = ordinalAfter(delivered);
      while (ordinal < end && next.size() < DELIVERED_MAX) {
        next.add(kept(ordinal).change());
        ordinal++;
      }
      delivered = next.isEmpty() ? last : next.get(next.size() - 1).sequence();
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
        closed = true;
        RecentChanges.this.notifyAll();
      }
    }
  }
}
