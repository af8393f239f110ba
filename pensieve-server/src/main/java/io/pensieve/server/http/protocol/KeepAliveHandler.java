package io.pensieve.server.http.protocol;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.time.Duration;

/**
 * Tells each client how long an idle connection stays open, so that it sends no request just when
 * the server closes the connection.
 */
public final class KeepAliveHandler implements HttpHandler {
  private final String told;
  private final HttpHandler next;

  /** Creates a handler that announces this time, which connections last at least. */
  public KeepAliveHandler(Duration silenceMax, HttpHandler next) {
    this.told = "timeout=" + silenceMax.toSeconds();
    this.next = next;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) throws Exception {
    if (exchange.isPersistent()) {
      exchange.getResponseHeaders().put(Headers.KEEP_ALIVE, told);
    }
    next.handleRequest(exchange);
  }

  /** Makes this response the last one of its connection. */
  static void end(HttpServerExchange exchange) {
    exchange.setPersistent(false);
    exchange.getResponseHeaders().remove(Headers.KEEP_ALIVE);
  }
}
