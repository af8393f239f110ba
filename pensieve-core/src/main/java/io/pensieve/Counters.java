package io.pensieve;

import io.pensieve.log.LogStatistics;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Counts a map's operations if enabled. If not, each call costs only a test of a final field. */
final class Counters {
  private final boolean on;
  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder puts = new LongAdder();
  private final LongAdder removals = new LongAdder();
  private final LongAdder evictions = new LongAdder();
  private final LongAdder expiries = new LongAdder();
  private final LongAdder loads = new LongAdder();
  private final LongAdder loadFailures = new LongAdder();
  private final LongAdder loadNanos = new LongAdder();

  Counters(boolean on) {
    this.on = on;
  }

  /** Whether operations are counted. */
  boolean isOn() {
    return on;
  }

  void hit() {
    count(hits);
  }

  void miss() {
    count(misses);
  }

  void read(boolean found) {
    count(found ? hits : misses);
  }

  void put() {
    count(puts);
  }

  void removal() {
    count(removals);
  }

  void eviction() {
    count(evictions);
  }

  void expiry() {
    count(expiries);
  }

  /** Runs a caller's function that loads one value or several. */
  <T> @Nullable T load(Supplier<? extends @Nullable T> load) {
    long begun = beginLoad();
    boolean failed = true;
    try {
      T loaded = load.get();
      failed = loaded == null;
      return loaded;
    } finally {
      endLoad(begun, failed);
    }
  }

  /** Returns the time for {@link #endLoad}. */
  long beginLoad() {
    return on ? System.nanoTime() : 0;
  }

  void endLoad(long begun, boolean failed) {
    if (on) {
      count(failed ? loadFailures : loads);
      loadNanos.add(System.nanoTime() - begun);
    }
  }

  private void count(LongAdder counter) {
    if (on) {
      counter.increment();
    }
  }

  Statistics statistics(long entries, long weight, LogStatistics log) {
    return new Statistics(
        hits.sum(),
        misses.sum(),
        puts.sum(),
        removals.sum(),
        evictions.sum(),
        expiries.sum(),
        loads.sum(),
        loadFailures.sum(),
        Duration.ofNanos(loadNanos.sum()),
        entries,
        weight,
        log);
  }
}
