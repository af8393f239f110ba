package io.pensieve.server.http.metrics;

import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.Quantile;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Collects the metrics of one scrape. */
public final class MetricFamilies {
  /** The media type of the text. */
  public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private final List<MetricSnapshot> families = new ArrayList<>();

  /** A value, with its labels. */
  public record Sample(double value, Labels labels) {
    /** Returns a sample. The labels alternate names and values. */
    public static Sample of(Number value, String... labels) {
      return new Sample(value.doubleValue(), Labels.of(labels));
    }
  }

  /** Adds a counter without labels. */
  public MetricFamilies counter(String name, String help, Number value) {
    return counter(name, help, List.of(Sample.of(value)));
  }

  /** Adds a counter with these samples. */
  public MetricFamilies counter(String name, String help, List<Sample> samples) {
    return add(
        new CounterSnapshot(
            new MetricMetadata(name, help),
            samples.stream()
                .map(sample -> new CounterDataPointSnapshot(sample.value, sample.labels, null, 0))
                .toList()));
  }

  /** Adds a gauge without labels. */
  public MetricFamilies gauge(String name, String help, Number value) {
    return gauge(name, help, List.of(Sample.of(value)));
  }

  /** Adds a gauge with these samples. */
  public MetricFamilies gauge(String name, String help, List<Sample> samples) {
    return add(
        new GaugeSnapshot(
            new MetricMetadata(name, help),
            samples.stream()
                .map(sample -> new GaugeDataPointSnapshot(sample.value, sample.labels, null))
                .toList()));
  }

  /** Adds a summary without labels, of a count and what is known of these durations. */
  public MetricFamilies summary(String name, String help, long count, double sumSeconds) {
    return add(
        SummarySnapshot.builder()
            .name(name)
            .help(help)
            .dataPoint(SummaryDataPointSnapshot.builder().count(count).sum(sumSeconds).build())
            .build());
  }

  /** Adds a summary without labels, of a count and quantiles. */
  public MetricFamilies summary(
      String name, String help, long count, double medianSeconds, double percentile99Seconds) {
    return add(
        SummarySnapshot.builder()
            .name(name)
            .help(help)
            .dataPoint(
                SummaryDataPointSnapshot.builder()
                    .count(count)
                    .quantiles(
                        Quantiles.of(
                            new Quantile(0.5, medianSeconds),
                            new Quantile(0.99, percentile99Seconds)))
                    .build())
            .build());
  }

  MetricFamilies add(MetricSnapshot family) {
    families.add(family);
    return this;
  }

  /** Returns the text that Prometheus reads. */
  public byte[] text() throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    PrometheusTextFormatWriter.create().write(text, new MetricSnapshots(families));
    return text.toByteArray();
  }
}
