package io.pensieve.server.http.protocol;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.time.Duration;

/**
 * Tells each client how long its connection is kept without a request, so that it sends none at the
 * moment in which the connection is closed.
 */
public final class KeepAliveHandler implements HttpHandler {
  private final String told;
  private final HttpHandler next;

  /** Tells this of connections that are kept for at least as long. */
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

  /** This answer is its connection's last. */
  static void end(HttpServerExchange exchange) {
    exchange.setPersistent(false);
    exchange.getResponseHeaders().remove(Headers.KEEP_ALIVE);
  }
}
