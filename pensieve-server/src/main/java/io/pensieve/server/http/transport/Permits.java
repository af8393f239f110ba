package io.pensieve.server.http.transport;

import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import java.util.concurrent.atomic.AtomicInteger;

/** Requests of a kind that may last: how many there are, and how many there may be. */
public final class Permits {
  private final AtomicInteger acquired = new AtomicInteger();
  private final int max;
  private final ProblemType ifNone;
  private final InFlightRequests inFlight;

  /**
   * Places that all are free.
   *
   * @param ifNone what a request is told for which there is none
   * @param inFlight whose limit those who have a place do not count against
   */
  public Permits(int max, ProblemType ifNone, InFlightRequests inFlight) {
    this.max = max;
    this.ifNone = ifNone;
    this.inFlight = inFlight;
  }

  /** Takes a place until the request is answered to its end. */
  public void acquire(HttpServerExchange exchange) {
    if (acquired.incrementAndGet() > max) {
      acquired.decrementAndGet();
      throw ifNone.withDetail("as many requests of this kind wait as may, which is " + max);
    }
    inFlight.setAside(exchange);
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          acquired.decrementAndGet();
          next.proceed();
        });
  }

  public int acquired() {
    return acquired.get();
  }
}
