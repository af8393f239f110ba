package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.undertow.server.HttpServerExchange;
import java.util.function.BooleanSupplier;

/**
 * Whether this server can do its work. That the log was replayed goes without saying: before that
 * nobody listens. What other nodes do has no say in it.
 */
final class Health {
  private final Pensieve<?, ?> memories;
  private final BooleanSupplier draining;

  Health(Pensieve<?, ?> memories, BooleanSupplier draining) {
    this.memories = memories;
    this.draining = draining;
  }

  /** The process makes progress, since it answers. */
  void live(HttpServerExchange exchange, String noKey) {
    Answers.ok(exchange);
  }

  /** It takes writes, and it is not about to stop. */
  void ready(HttpServerExchange exchange, String noKey) {
    if (draining.getAsBoolean()) {
      throw Problem.NOT_READY.because("the server is about to stop");
    }
    if (memories.statistics().log().failure().isPresent()) {
      throw Problem.LOG_FAILED.because("the log has failed; only reads are answered");
    }
    Answers.ok(exchange);
  }
}
