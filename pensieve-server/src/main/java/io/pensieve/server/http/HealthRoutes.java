package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.log.LogStatistics;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.JsonResponses;
import io.undertow.server.HttpServerExchange;
import java.util.function.BooleanSupplier;

/**
 * Whether this server can do its work. That the log was replayed goes without saying: before that
 * nobody listens. What other nodes do has no say in it.
 */
final class HealthRoutes {
  private final Pensieve<?, ?> map;
  private final BooleanSupplier draining;

  HealthRoutes(Pensieve<?, ?> map, BooleanSupplier draining) {
    this.map = map;
    this.draining = draining;
  }

  /** The process makes progress, since it answers. */
  void live(HttpServerExchange exchange, String noKey) {
    JsonResponses.ok(exchange);
  }

  /** It takes writes, and it is not about to stop. */
  void ready(HttpServerExchange exchange, String noKey) {
    if (draining.getAsBoolean()) {
      throw ProblemType.NOT_READY.withDetail("the server is about to stop");
    }
    LogStatistics log = map.statistics().log();
    if (log.failure().isPresent()) {
      throw ProblemType.LOG_FAILED.withDetail("the log has failed; only reads are answered");
    }
    if (log.refusal().isPresent()) {
      // Not the refusal itself: it names the folder, and anyone may ask this.
      throw ProblemType.LOG_FULL.withDetail(
          "no put is taken: "
              + log.freeBytes()
              + " bytes are free on the log's volume, and "
              + log.reserveBytes()
              + " are kept in reserve");
    }
    JsonResponses.ok(exchange);
  }
}
