package io.pensieve.server.http.transport;

import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import java.util.concurrent.atomic.AtomicInteger;

/** Limits the number of long-lasting requests of one kind. */
public final class Permits {
  private final AtomicInteger acquired = new AtomicInteger();
  private final int max;
  private final ProblemType ifNone;
  private final InFlightRequests inFlight;

  /**
   * Creates permits that are all free.
   *
   * @param ifNone the problem of a request that gets no permit
   * @param inFlight the requests in flight; those with a permit do not count against its limit
   */
  public Permits(int max, ProblemType ifNone, InFlightRequests inFlight) {
    this.max = max;
    this.ifNone = ifNone;
    this.inFlight = inFlight;
  }

  /** Acquires a permit until the exchange completes. */
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
