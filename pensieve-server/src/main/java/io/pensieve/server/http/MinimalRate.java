package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.XnioExecutor;

/**
 * Cuts a client off whose body comes, or that takes its answer, so slowly that it only keeps what
 * that holds: silence alone is broken by a byte a minute. Of an exchange's I/O thread.
 */
final class MinimalRate {
  /** So many bytes for each second of the time for which a client may be silent. */
  static final int BYTES_PER_SECOND = 1 << 10;

  private static final int SILENCE_MILLIS_IF_NOT_SET = 60_000;

  private final HttpServerExchange exchange;
  private final LongSupplier bytesMoved;
  private final int periodMillis;
  private long bytesBefore;
  private XnioExecutor.Key next;

  private MinimalRate(HttpServerExchange exchange, LongSupplier bytesMoved, int periodMillis) {
    this.exchange = exchange;
    this.bytesMoved = bytesMoved;
    this.periodMillis = periodMillis;
    this.bytesBefore = bytesMoved.getAsLong();
    this.next = schedule();
  }

  /** From now on, until the exchange is complete or this is stopped. */
  static MinimalRate expect(HttpServerExchange exchange, LongSupplier bytesMoved) {
    MinimalRate rate = new MinimalRate(exchange, bytesMoved, silenceMillis(exchange));
    exchange.addExchangeCompleteListener(
        (completed, nextListener) -> {
          rate.stop();
          nextListener.proceed();
        });
    return rate;
  }

  // The connection knows it already, since it cuts off who is silent.
  private static int silenceMillis(HttpServerExchange exchange) {
    try {
      Integer millis = exchange.getConnection().getOption(Options.WRITE_TIMEOUT);
      return millis == null || millis <= 0 ? SILENCE_MILLIS_IF_NOT_SET : millis;
    } catch (IOException | UnsupportedOperationException notTold) {
      return SILENCE_MILLIS_IF_NOT_SET;
    }
  }

  private XnioExecutor.Key schedule() {
    return exchange.getIoThread().executeAfter(this::look, periodMillis, TimeUnit.MILLISECONDS);
  }

  private void look() {
    long bytes = bytesMoved.getAsLong();
    long expected = (long) BYTES_PER_SECOND * periodMillis / TimeUnit.SECONDS.toMillis(1);
    if (bytes - bytesBefore < expected) {
      IoUtils.safeClose(exchange.getConnection());
      exchange.endExchange();
      return;
    }
    bytesBefore = bytes;
    next = schedule();
  }

  void stop() {
    next.remove();
  }
}
