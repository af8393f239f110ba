package io.pensieve.server.http.protocol;

import io.undertow.UndertowOptions;
import io.undertow.server.HttpServerExchange;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.XnioExecutor;

/**
 * Cuts a client off whose body comes, or that takes its answer, so slowly that it only keeps what
 * that holds: silence alone is broken by a byte a minute. Of an exchange's I/O thread.
 */
public final class MinimumTransferRate {
  /** So many bytes for each second of the time for which a client may be silent. */
  static final int BYTES_PER_SECOND = 1 << 10;

  private final HttpServerExchange exchange;
  private final LongSupplier bytesMoved;
  private final int periodMillis;
  private long bytesBefore;
  private XnioExecutor.@Nullable Key next; // null while nothing is expected

  /**
   * Expects nothing yet.
   *
   * @param bytesMoved how many bytes have come, or were sent, until it is asked
   */
  public MinimumTransferRate(HttpServerExchange exchange, LongSupplier bytesMoved) {
    this.exchange = exchange;
    this.bytesMoved = bytesMoved;
    this.periodMillis = silenceMillis(exchange);
    exchange.addExchangeCompleteListener(
        (completed, nextListener) -> {
          stop();
          nextListener.proceed();
        });
  }

  // The connection knows it already, since it cuts off who is silent.
  private static int silenceMillis(HttpServerExchange exchange) {
    OptionMap options = exchange.getConnection().getUndertowOptions();
    Integer millis = options.get(UndertowOptions.NO_REQUEST_TIMEOUT);
    if (millis == null) {
      throw new IllegalStateException("a server that does not cut off who is silent");
    }
    return millis;
  }

  /** From now on, until the exchange is complete or this is stopped. */
  public void expect() {
    if (next == null) {
      lookLater();
    }
  }

  private void lookLater() {
    bytesBefore = bytesMoved.getAsLong();
    next = exchange.getIoThread().executeAfter(this::look, periodMillis, TimeUnit.MILLISECONDS);
  }

  private void look() {
    if (next == null) {
      return; // stopped at this moment
    }
    long expected = (long) BYTES_PER_SECOND * periodMillis / TimeUnit.SECONDS.toMillis(1);
    if (bytesMoved.getAsLong() - bytesBefore < expected) {
      IoUtils.safeClose(exchange.getConnection());
      exchange.endExchange();
      return;
    }
    lookLater();
  }

  public void stop() {
    XnioExecutor.Key expected = next;
    next = null;
    if (expected != null) {
      expected.remove();
    }
  }
}
