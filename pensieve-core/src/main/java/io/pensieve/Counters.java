package io.pensieve;

import io.pensieve.log.LogStatistics;
import java.util.concurrent.atomic.LongAdder;

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

  void load() {
    count(loads);
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
        entries,
        weight,
        log);
  }
}
