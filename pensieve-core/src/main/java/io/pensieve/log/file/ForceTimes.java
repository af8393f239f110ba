package io.pensieve.log.file;

import java.util.concurrent.atomic.AtomicLong;

/** The number of forces, and how long they took. One thread adds, any thread reads. */
final class ForceTimes {
  private final AtomicLong count = new AtomicLong();
  private final AtomicLong totalNanos = new AtomicLong();
  private final AtomicLong maxNanos = new AtomicLong();

  /** Adds a force that succeeded. */
  void add(long nanos) {
    totalNanos.addAndGet(nanos);
    if (nanos > maxNanos.get()) {
      maxNanos.set(nanos);
    }
    count.incrementAndGet();
  }

  long count() {
    return count.get();
  }

  long totalNanos() {
    return totalNanos.get();
  }

  /** The longest force; 0 if there was none. */
  long maxNanos() {
    return maxNanos.get();
  }
}
