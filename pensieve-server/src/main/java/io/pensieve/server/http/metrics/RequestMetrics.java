package io.pensieve.server.http.metrics;

import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpServerExchange;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Counts and times the requests of each route by the status of their answers. */
public final class RequestMetrics {
  /** The status of a request whose client has left before its answer began, as nginx has it. */
  static final int CLIENT_LEFT = 499;

  /** What stands for the method and the route of a request that has none. */
  static final String OTHER = "other";

  /*
   * Labels come from the table of routes and from statuses, never from requests: whoever asks
   * cannot make the server remember more.
   */
  private static final int STATUS_MIN = 100;
  private static final int STATUS_MAX = 599;

  private final List<Meter> meters = new CopyOnWriteArrayList<>();
  private final Meter unrouted = meter(OTHER, OTHER);
  private final AccessLog accessLog;

  /** Counts, and tells this log of each request. */
  public RequestMetrics(AccessLog accessLog) {
    this.accessLog = accessLog;
  }

  /** The meter of a method of a route; each is asked for once. */
  public Meter meter(String method, String template) {
    Meter meter = new Meter(method, template);
    meters.add(meter);
    return meter;
  }

  /** Begins to time a request, whose route is not known yet. */
  public Timing begin(HttpServerExchange exchange) {
    Timing timing = new Timing(unrouted, accessLog);
    exchange.addExchangeCompleteListener(timing);
    return timing;
  }

  public void write(PrometheusText out) {
    out.family(
        "http_server_requests_seconds",
        PrometheusText.Kind.HISTOGRAM,
        "From the head of a request to the end of its answer.");
    meters.forEach(meter -> meter.write(out));
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

    private void write(PrometheusText out) {
      for (int i = 0; i < byStatus.length(); i++) {
        LatencyHistogram latency = byStatus.get(i);
        if (latency != null) {
          String status = Integer.toString(i + STATUS_MIN);
          latency.write(out, "method", method, "route", template, "status", status);
        }
      }
    }
  }

  /** One request, from its head to the end of its answer. */
  public static final class Timing implements ExchangeCompletionListener {
    private final long startNanos = System.nanoTime();
    private final AccessLog accessLog;
    private Meter meter;

    private Timing(Meter unrouted, AccessLog accessLog) {
      this.meter = unrouted;
      this.accessLog = accessLog;
    }

    /** It turned out to be for this one. */
    public void routed(Meter found) {
      meter = found;
    }

    @Override
    public void exchangeEvent(HttpServerExchange exchange, NextListener next) {
      // Before the next listener: who waits until nothing is in flight finds everything counted.
      long nanos = System.nanoTime() - startNanos;
      // An exchange that was never answered has a status, too: 200, as all have at first.
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
