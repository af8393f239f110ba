package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import java.util.concurrent.atomic.AtomicInteger;

/** Requests of a kind that may last: how many there are, and how many there may be. */
final class Places {
  private final AtomicInteger taken = new AtomicInteger();
  private final int max;
  private final Problem ifNone;
  private final InFlight inFlight;

  /**
   * Places that all are free.
   *
   * @param ifNone what a request is told for which there is none
   * @param inFlight whose limit those who have a place do not count against
   */
  Places(int max, Problem ifNone, InFlight inFlight) {
    this.max = max;
    this.ifNone = ifNone;
    this.inFlight = inFlight;
  }

  /** Takes a place until the request is answered to its end. */
  void take(HttpServerExchange exchange) {
    if (taken.incrementAndGet() > max) {
      taken.decrementAndGet();
      throw ifNone.because("as many requests of this kind wait as may, which is " + max);
    }
    inFlight.setAside(exchange);
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          taken.decrementAndGet();
          next.proceed();
        });
  }

  int taken() {
    return taken.get();
  }
}
