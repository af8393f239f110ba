package io.pensieve.server.http.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the histogram of the Prometheus library does not do. */
@Timeout(60)
final class LatencyHistogramTest {
  private static final int OVERFLOWS = 20;

  private final LatencyHistogram histogram = new LatencyHistogram();

  @Test
  void anErrorWhileItRecordsHarmsNoSnapshot() {
    for (int i = 0; i < OVERFLOWS; i++) {
      assertThrows(StackOverflowError.class, this::recordUntilTheStackOverflows);
    }
    long before = snapshot().getCount();
    assertTrue(before > 0);
    histogram.record(1);
    assertEquals(before + 1, snapshot().getCount());
  }

  @SuppressWarnings("InfiniteRecursion")
  private void recordUntilTheStackOverflows() {
    histogram.record(1);
    recordUntilTheStackOverflows();
  }

  @Test
  void aDurationIsCountedByTheFirstBoundThatIsNotLess() {
    histogram.record(0);
    histogram.record(TimeUnit.MICROSECONDS.toNanos(100));
    histogram.record(TimeUnit.MICROSECONDS.toNanos(100) + 1);
    histogram.record(TimeUnit.SECONDS.toNanos(10));
    histogram.record(TimeUnit.SECONDS.toNanos(10) + 1);
    histogram.record(Long.MAX_VALUE);
    HistogramDataPointSnapshot found = snapshot();
    assertEquals(6, found.getCount());
    assertEquals(17, found.getClassicBuckets().size());
    assertEquals(1e-4, found.getClassicBuckets().getUpperBound(0));
    assertEquals(2, found.getClassicBuckets().getCount(0));
    assertEquals(1, found.getClassicBuckets().getCount(1));
    assertEquals(10, found.getClassicBuckets().getUpperBound(15));
    assertEquals(1, found.getClassicBuckets().getCount(15));
    assertEquals(2, found.getClassicBuckets().getCount(16));
  }

  private HistogramDataPointSnapshot snapshot() {
    return histogram.snapshot(Labels.EMPTY);
  }
}
