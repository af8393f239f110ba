package io.pensieve.log;

import io.pensieve.annotation.GuardedBy;
import java.time.InstantSource;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * A log that keeps the most recent changes in memory, for change streams, and nothing else. A
 * change is acknowledged once it is among the {@link RecentChanges}.
 *
 * <p>Sequence numbers start at the time of day. So the numbers from an earlier process, which a
 * reader may still have, are smaller. Such a reader gets {@code HistoryTruncated} instead of
 * missing changes.
 */
final class InMemoryLog<K, V> implements Log<K, V> {
  // A log that appends faster than this in the long run may repeat a number after a restart.
  private static final int NUMBERS_PER_MILLISECOND = 1 << 10;
  private final long begin;
  private final RecentChanges<K, V> recent;

  @GuardedBy("this")
  private boolean replayed;

  InMemoryLog(
      int changesMax,
      long weightMax,
      ToLongFunction<? super Change<K, V>> weigher,
      InstantSource clock) {
    this.begin = Math.max(0, clock.millis()) * NUMBERS_PER_MILLISECOND;
    this.recent = new RecentChanges<>(changesMax, weightMax, weigher, begin);
  }

  @Override
  public synchronized RecoveryReport replay(ReplayHandler<K, V> handler) {
    recent.checkOpen();
    if (replayed) {
      throw new IllegalStateException("the log is open already, for another map");
    }
    replayed = true;
    return RecoveryReport.empty();
  }

  @Override
  public long append(Change<K, V> change) {
    return recent.append(change);
  }

  @Override
  public long[] appendAtomically(List<Change<K, V>> changes) {
    if (changes.isEmpty() || changes.stream().anyMatch(change -> change instanceof Change.Touch)) {
      throw new IllegalArgumentException("no changes, or a touch among them");
    }
    return recent.appendAll(changes);
  }

  @Override
  public ChangeStream<K, V> changes() {
    return recent.changes();
  }

  // 0 is before every change of this log. A larger number than all of them comes from an earlier
  // process, whose clock was ahead.
  @Override
  public ChangeStream<K, V> changes(long since) {
    return recent.changes(since == 0 ? begin : since);
  }

  @Override
  public void close() {
    recent.close();
  }
}
