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
 * Disconnects a client that sends its body, or reads its response, so slowly that it mainly holds
 * resources. A limit on silence is not enough: one byte per minute breaks silence. For the
 * exchange's I/O thread only.
 */
public final class MinimumTransferRate {
  /** The minimum number of bytes per second, averaged over the maximum silence of a client. */
  static final int BYTES_PER_SECOND = 1 << 10;

  private final HttpServerExchange exchange;
  private final LongSupplier bytesMoved;
  private final int periodMillis;
  private long bytesBefore;
  private XnioExecutor.@Nullable Key next; // null while inactive

  /**
   * Creates an inactive check.
   *
   * @param bytesMoved returns how many bytes have arrived, or were sent, so far
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

  // The connection has this value, because it disconnects silent clients.
  private static int silenceMillis(HttpServerExchange exchange) {
    OptionMap options = exchange.getConnection().getUndertowOptions();
    Integer millis = options.get(UndertowOptions.NO_REQUEST_TIMEOUT);
    if (millis == null) {
      throw new IllegalStateException("a server that does not cut off who is silent");
    }
    return millis;
  }

  /** Enforces the rate from now on, until the exchange completes or {@link #stop} is called. */
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
      return; // just stopped
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
