package io.pensieve.server.http.metrics;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** A histogram of durations. Any thread may record, without waiting. */
public final class LatencyHistogram {
  /** The upper bounds of the buckets, in nanoseconds: from 100 microseconds to 10 seconds. */
  private static final long[] BOUNDS_NANOS = boundsNanos();

  private final LongAdder[] counts = new LongAdder[BOUNDS_NANOS.length + 1];
  private final LongAdder sumNanos = new LongAdder();

  LatencyHistogram() {
    for (int i = 0; i < counts.length; i++) {
      counts[i] = new LongAdder();
    }
  }

  private static long[] boundsNanos() {
    long[] steps = {100, 250, 500};
    long[] bounds = new long[16];
    long unit = TimeUnit.MICROSECONDS.toNanos(1);
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = steps[i % steps.length] * unit;
      unit *= i % steps.length == steps.length - 1 ? 10 : 1;
    }
    return bounds;
  }

  void record(long nanos) {
    int bucket = 0;
    while (bucket < BOUNDS_NANOS.length && nanos > BOUNDS_NANOS[bucket]) {
      bucket++;
    }
    counts[bucket].increment();
    sumNanos.add(nanos);
  }

  /** Writes the samples of a histogram in seconds, with these labels. */
  void write(PrometheusText out, String... labels) {
    String[] withBound = new String[labels.length + 2];
    System.arraycopy(labels, 0, withBound, 0, labels.length);
    withBound[labels.length] = "le";
    long count = 0;
    for (int i = 0; i < counts.length; i++) {
      count += counts[i].sum();
      double bound = i < BOUNDS_NANOS.length ? seconds(BOUNDS_NANOS[i]) : Double.POSITIVE_INFINITY;
      withBound[labels.length + 1] = PrometheusText.number(bound);
      out.part("_bucket", count, withBound);
    }
    out.part("_sum", seconds(sumNanos.sum()), labels);
    // Equals the last bucket, even while other threads record.
    out.part("_count", count, labels);
  }

  public static double seconds(long nanos) {
    return nanos / 1e9;
  }
}
