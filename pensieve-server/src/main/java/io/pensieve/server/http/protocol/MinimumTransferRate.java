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

  /*
   * If too little has moved, the check looks once more before it disconnects. An I/O thread that was
   * stalled runs its due tasks before it reads what has arrived meanwhile: the client sent it in
   * time, and the stall is the server's own.
   */
  private static final int SECOND_LOOK_MILLIS = 250;

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
    schedule(this::look, periodMillis);
  }

  private void schedule(Runnable look, int millis) {
    next = exchange.getIoThread().executeAfter(look, millis, TimeUnit.MILLISECONDS);
  }

  private void look() {
    if (next == null) {
      return; // just stopped
    }
    if (isTooSlow()) {
      schedule(this::lookAgain, SECOND_LOOK_MILLIS);
      return;
    }
    lookLater();
  }

  private void lookAgain() {
    if (next == null) {
      return; // just stopped
    }
    if (isTooSlow()) {
      IoUtils.safeClose(exchange.getConnection());
      exchange.endExchange();
      return;
    }
    lookLater();
  }

  private boolean isTooSlow() {
    long expected = (long) BYTES_PER_SECOND * periodMillis / TimeUnit.SECONDS.toMillis(1);
    return bytesMoved.getAsLong() - bytesBefore < expected;
  }

  public void stop() {
    XnioExecutor.Key expected = next;
    next = null;
    if (expected != null) {
      expected.remove();
    }
  }
}
