package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.log.LogStatistics;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.replication.Replication;
import io.undertow.server.HttpServerExchange;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The routes that report whether this server works. Recovery needs no check: the server listens
 * only after it. The state of other nodes does not matter, but that a node of a cluster takes part
 * in it does.
 */
final class HealthRoutes {
  private final Pensieve<?, ?> map;
  private final BooleanSupplier draining;

  private final Optional<Replication> replication;

  HealthRoutes(Pensieve<?, ?> map, BooleanSupplier draining, Optional<Replication> replication) {
    this.map = map;
    this.draining = draining;
    this.replication = replication;
  }

  /** Responds with success: the process makes progress. */
  void live(HttpServerExchange exchange) {
    JsonResponses.ok(exchange);
  }

  /** Responds with success if the server accepts writes and is not draining. */
  void ready(HttpServerExchange exchange) {
    if (draining.getAsBoolean()) {
      throw ProblemType.NOT_READY.withDetail("the server is about to stop");
    }
    LogStatistics log = map.statistics().log();
    if (log.failure().isPresent()) {
      throw ProblemType.LOG_FAILED.withDetail("the log has failed; only reads are answered");
    }
    if (log.refusal().isPresent()) {
      // Omit the log's own message: it names the folder, and anyone may call this route.
      throw ProblemType.LOG_FULL.withDetail(
          "no put is taken: "
              + log.freeBytes()
              + " bytes are free on the log's volume, and "
              + log.reserveBytes()
              + " are kept in reserve");
    }
    Optional<String> waitsFor = replication.flatMap(node -> node.state().waitsFor());
    if (waitsFor.isPresent()) {
      throw ProblemType.NOT_READY.withDetail(waitsFor.get());
    }
    JsonResponses.ok(exchange);
  }
}
