package io.pensieve.server.http.transport;

import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ResponseCommitListener;
import io.undertow.util.Headers;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the requests in flight, to limit them and to let a shutdown wait for them. During the wait
 * the server still responds, but each response tells its client to close the connection.
 */
public final class InFlightRequests {
  // The server counts as one until it drains, so zero means: draining, and no request left.
  private final AtomicLong count = new AtomicLong(1);
  // The authorized requests, which count against the limit, and those of them that only wait.
  // Invariant: 0 <= aside <= admitted <= count. All three decrease when the exchange completes.
  private final AtomicLong admitted = new AtomicLong();
  private final AtomicLong aside = new AtomicLong();
  private final ExchangeCompletionListener releaseAdmitted = this::release;
  private final CountDownLatch drained = new CountDownLatch(1);
  private final int requestsMax;

  // Runs when a response begins, not when its request arrives: draining may start in between.
  // Undertow sets the header itself, but not in a response without a body, such as 204 or 304.
  private final ResponseCommitListener closesWhenDraining = this::closeWhenDraining;

  private volatile boolean draining;

  public InFlightRequests(int requestsMax) {
    this.requestsMax = requestsMax;
  }

  /** Wraps a handler so that this object counts its requests. */
  public HttpHandler counted(HttpHandler next) {
    return exchange -> {
      begin(exchange);
      next.handleRequest(exchange);
      if (!exchange.isResponseStarted() && !exchange.isComplete()) {
        // This response comes later, perhaps after draining starts. Most responses are already sent
        // here, so they save the cost of a listener.
        exchange.addResponseCommitListener(closesWhenDraining);
      }
    };
  }

  private void begin(HttpServerExchange exchange) {
    count.incrementAndGet();
    exchange.addExchangeCompleteListener(
        (completed, nextListener) -> {
          try {
            // Proceed first. This prepares the connection for the next request or closes it. The
            // threads that do so stop once nothing is in flight.
            nextListener.proceed();
          } finally {
            finishOne();
          }
        });
    closeWhenDraining(exchange);
    if (exchange.isHttp10() && exchange.isPersistent()) {
      // HTTP/1.0 closes by default, so a client that asked for keep-alive needs this header.
      exchange.getResponseHeaders().put(Headers.CONNECTION, "keep-alive");
    }
  }

  private void closeWhenDraining(HttpServerExchange exchange) {
    if (draining) {
      exchange.setPersistent(false);
      exchange.getResponseHeaders().put(Headers.CONNECTION, "close");
    }
  }

  /**
   * Admits an authorized request, and counts it against the limit until it completes. Call this
   * after authorization: otherwise callers without a token could use up the limit.
   *
   * @throws io.pensieve.server.http.json.ProblemException if the limit is reached
   */
  void admit(HttpServerExchange exchange) {
    if (admitted.incrementAndGet() - aside.get() > requestsMax) {
      admitted.decrementAndGet();
      throw ProblemType.TOO_MANY_REQUESTS.withDetail(
          "more than " + requestsMax + " requests are under way, which is the limit");
    }
    exchange.addExchangeCompleteListener(releaseAdmitted);
  }

  private void release(HttpServerExchange exchange, ExchangeCompletionListener.NextListener next) {
    admitted.decrementAndGet();
    next.proceed();
  }

  /** Returns how many requests are admitted, including those that only wait. */
  public long admitted() {
    return admitted.get();
  }

  /** Stops counting this request against the limit: from now on it only waits. */
  void setAside(HttpServerExchange exchange) {
    aside.incrementAndGet();
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          aside.decrementAndGet();
          next.proceed();
        });
  }

  private void finishOne() {
    if (count.decrementAndGet() == 0) {
      drained.countDown();
    }
  }

  /** Returns how many requests have begun and are not complete. */
  public long requests() {
    return count.get() - (draining ? 0 : 1);
  }

  public boolean isDraining() {
    return draining;
  }

  /** From now on each response tells its client to close the connection. Call this once. */
  public void startDraining() {
    draining = true;
    finishOne();
  }

  /** Waits until nothing is in flight, at most until the deadline. */
  public void awaitDrained(Duration deadline) throws InterruptedException {
    boolean unused = drained.await(deadline.toNanos(), TimeUnit.NANOSECONDS);
  }
}
