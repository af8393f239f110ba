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
 * Counts the requests that are being answered, so that there are not too many, and so that a
 * shutdown can wait for them. While it waits, requests are still answered, but each answer tells
 * its client to close the connection.
 */
public final class InFlightRequests {
  // The server itself counts as one until it drains, so zero means: draining, and nothing left.
  private final AtomicLong count = new AtomicLong(1);
  // Those that whoever may have them answered, and so count against the limit. Invariant: 0 <=
  // aside
  // <= admitted <= count, and all fall with the end of the exchange.
  private final AtomicLong admitted = new AtomicLong();
  private final AtomicLong aside = new AtomicLong();
  private final ExchangeCompletionListener releaseAdmitted = this::release;
  private final CountDownLatch drained = new CountDownLatch(1);
  private final int requestsMax;

  // When an answer begins, not when its request came: the stop may have begun in between. Undertow
  // says so by itself, but not in an answer without a body, such as a 204 or a 304.
  private final ResponseCommitListener closesWhenDraining = this::closeWhenDraining;

  private volatile boolean draining;

  public InFlightRequests(int requestsMax) {
    this.requestsMax = requestsMax;
  }

  /** The same handler, with its requests counted. */
  public HttpHandler counted(HttpHandler next) {
    return exchange -> {
      begin(exchange);
      next.handleRequest(exchange);
      if (!exchange.isResponseStarted() && !exchange.isComplete()) {
        // Answered later, perhaps when the stop has begun. Most are answered by now, and are spared
        // what a listener costs.
        exchange.addResponseCommitListener(closesWhenDraining);
      }
    };
  }

  private void begin(HttpServerExchange exchange) {
    count.incrementAndGet();
    exchange.addExchangeCompleteListener(
        (completed, nextListener) -> {
          try {
            // First: this makes the connection ready for the next request or closes it, and the
            // threads that do so are stopped when nothing is in flight any more.
            nextListener.proceed();
          } finally {
            finishOne();
          }
        });
    closeWhenDraining(exchange);
    if (exchange.isHttp10() && exchange.isPersistent()) {
      // There to close is the rule, so a client that asked otherwise has to be told.
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
   * Lets a request pass whose sender may call its route, and counts it against the limit until it
   * is complete. Not before: else whoever has no token could take what those need who have one.
   *
   * @throws io.pensieve.server.http.json.ProblemException if it is one too many
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

  /** How many requests count against the limit now, or would if they did not only wait. */
  public long admitted() {
    return admitted.get();
  }

  /** From here on this request does not count against the limit: it only waits. */
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

  /** How many requests have been begun and not been answered to their end. */
  public long requests() {
    return count.get() - (draining ? 0 : 1);
  }

  public boolean isDraining() {
    return draining;
  }

  /** From now on each answer tells its client to close the connection. Called once. */
  public void startDraining() {
    draining = true;
    finishOne();
  }

  /** Waits until nothing is in flight, at most so long. */
  public void awaitDrained(Duration deadline) throws InterruptedException {
    boolean unused = drained.await(deadline.toNanos(), TimeUnit.NANOSECONDS);
  }
}
