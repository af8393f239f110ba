package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.log.LogStatistics;
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
    LogStatistics log = memories.statistics().log();
    if (log.failure().isPresent()) {
      throw Problem.LOG_FAILED.because("the log has failed; only reads are answered");
    }
    if (log.refusal().isPresent()) {
      // Not the refusal itself: it names the folder, and anyone may ask this.
      throw Problem.LOG_FULL.because(
          "no put is taken: "
              + log.freeBytes()
              + " bytes are free on the log's volume, and "
              + log.reserveBytes()
              + " are kept in reserve");
    }
    Answers.ok(exchange);
  }
}
