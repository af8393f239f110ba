package io.pensieve.server.http.metrics;

import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;

/** A histogram of one kind of durations. Any thread may record, without waiting. */
public final class DurationMetric {
  private final String name;
  private final String help;
  private final LatencyHistogram durations = new LatencyHistogram();

  /** Creates an empty histogram of this name. */
  public DurationMetric(String name, String help) {
    this.name = name;
    this.help = help;
  }

  public void record(long nanos) {
    durations.record(nanos);
  }

  /** Adds the histogram to a scrape. */
  public void addTo(MetricFamilies out) {
    out.add(
        HistogramSnapshot.builder()
            .name(name)
            .help(help)
            .dataPoint(durations.snapshot(Labels.EMPTY))
            .build());
  }
}
