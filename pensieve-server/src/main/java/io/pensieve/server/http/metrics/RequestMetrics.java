package io.pensieve.server.http.metrics;

import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpServerExchange;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Counts and times the requests of each route, by response status. */
public final class RequestMetrics {
  /** The status of a request whose client disconnects before the response begins, as in nginx. */
  static final int CLIENT_LEFT = 499;

  /** The method and the route of a request that matches none. */
  static final String OTHER = "other";

  /*
   * Labels come from the route table and from statuses, never from requests. So clients cannot make
   * the server use more memory.
   */
  private static final int STATUS_MIN = 100;
  private static final int STATUS_MAX = 599;

  private final List<Meter> meters = new CopyOnWriteArrayList<>();
  private final Meter unrouted = meter(OTHER, OTHER);
  private final AccessLog accessLog;

  /** Creates metrics that also report each request to this log. */
  public RequestMetrics(AccessLog accessLog) {
    this.accessLog = accessLog;
  }

  /** Returns a new meter for a method of a route. Call this once per pair. */
  public Meter meter(String method, String template) {
    Meter meter = new Meter(method, template);
    meters.add(meter);
    return meter;
  }

  /** Starts to time a request before its route is known. */
  public Timing begin(HttpServerExchange exchange) {
    Timing timing = new Timing(unrouted, accessLog);
    exchange.addExchangeCompleteListener(timing);
    return timing;
  }

  /** Adds the histograms of all routes. */
  public void addTo(MetricFamilies out) {
    HistogramSnapshot.Builder histograms =
        HistogramSnapshot.builder()
            .name("http_server_requests_seconds")
            .help("From the head of a request to the end of its response.");
    meters.forEach(meter -> meter.addTo(histograms));
    out.add(histograms.build());
  }

  /** Counts one method of one route. */
  public static final class Meter {
    private final String method;
    private final String template;
    private final AtomicReferenceArray<LatencyHistogram> byStatus =
        new AtomicReferenceArray<>(STATUS_MAX - STATUS_MIN + 1);

    private Meter(String method, String template) {
      this.method = method;
      this.template = template;
    }

    private void record(int status, long nanos) {
      int index = status - STATUS_MIN;
      LatencyHistogram latency = byStatus.get(index);
      if (latency == null) {
        byStatus.compareAndSet(index, null, new LatencyHistogram());
        latency = byStatus.get(index);
      }
      latency.record(nanos);
    }

    private void addTo(HistogramSnapshot.Builder histograms) {
      for (int i = 0; i < byStatus.length(); i++) {
        LatencyHistogram latency = byStatus.get(i);
        if (latency != null) {
          String status = Integer.toString(i + STATUS_MIN);
          histograms.dataPoint(
              latency.snapshot(Labels.of("method", method, "route", template, "status", status)));
        }
      }
    }
  }

  /** One request, from its head to the end of its response. */
  public static final class Timing implements ExchangeCompletionListener {
    private final long startNanos = System.nanoTime();
    private final AccessLog accessLog;
    private Meter meter;

    private Timing(Meter unrouted, AccessLog accessLog) {
      this.meter = unrouted;
      this.accessLog = accessLog;
    }

    /** Sets the meter of the request's route. */
    public void routed(Meter found) {
      meter = found;
    }

    @Override
    public void exchangeEvent(HttpServerExchange exchange, NextListener next) {
      // Count before the next listener: once nothing is in flight, everything has been counted.
      long nanos = System.nanoTime() - startNanos;
      // Without a response the exchange still has its initial status, 200.
      int status = exchange.isResponseStarted() ? exchange.getStatusCode() : CLIENT_LEFT;
      meter.record(status, nanos);
      if (accessLog.isOn()) {
        writeAccessLog(exchange, status, nanos);
      }
      next.proceed();
    }

    private void writeAccessLog(HttpServerExchange exchange, int status, long nanos) {
      accessLog.completed(
          new AccessLog.CompletedRequest(
              Instant.now().minusNanos(nanos),
              meter.method,
              meter.template,
              status,
              exchange.getResponseBytesSent(),
              nanos,
              exchange.getSourceAddress()));
    }
  }
}
