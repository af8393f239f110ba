package io.pensieve.server.http;

import static java.util.Objects.requireNonNull;

import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import io.pensieve.TimeToLive;
import io.pensieve.Versioned;
import io.pensieve.Write;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.Preconditions;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.protocol.RawPath;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.PastRequest;
import io.pensieve.server.http.value.ConditionalWrite;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;

/**
 * The routes that change how long an entry lives, without its value. The entry gets a new version:
 * a version stands for value, type and expiry together.
 */
final class TouchRoutes {
  /** The parameter that makes a read a touch. */
  static final String TOUCH = "touch";

  private static final int BODY_BYTES_MAX = 1 << 10;
  private static final Set<String> POST_PARAMETERS =
      Set.of(TtlParameters.TTL, EntryRoutes.DURABILITY);
  private static final Set<String> GET_PARAMETERS = Set.of(TOUCH, EntryRoutes.AS);

  private final Pensieve<String, StoredValue> map;
  private final SizeLimits limits;
  private final DurabilityGuarantee guarantee;
  private final InstantSource clock;
  private final IdempotentWrites writes;
  private final EntryRoutes entries;

  TouchRoutes(
      Pensieve<String, StoredValue> map,
      SizeLimits limits,
      DurabilityGuarantee guarantee,
      InstantSource clock,
      IdempotentWrites writes,
      EntryRoutes entries) {
    this.map = map;
    this.limits = limits;
    this.guarantee = guarantee;
    this.clock = clock;
    this.writes = writes;
    this.entries = entries;
  }

  void post(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    QueryParameters query = QueryParameters.of(exchange, POST_PARAMETERS);
    TimeToLive ttl = TtlParameters.required(query, TtlParameters.TTL);
    guarantee.requireUpTo(query.text(EntryRoutes.DURABILITY));
    Preconditions conditions = Preconditions.of(exchange.getRequestHeaders());
    RequestBody.read(
        exchange,
        BODY_BYTES_MAX,
        ignored -> {
          Optional<PendingWrite<StoredValue>> executed =
              writes.execute(
                  exchange,
                  () ->
                      conditions.isEmpty()
                          ? map.writeAsync(Write.touch(key, ttl))
                          : ConditionalWrite.touch(map, key, ttl, conditions.forWrite()),
                  TouchRoutes::answerRepeated);
          if (executed.isPresent()) {
            PendingWrite<StoredValue> touch = executed.get();
            DeferredResponses.sendWhenDurable(
                exchange, touch.durable(), done -> answer(done, touch));
          }
        });
  }

  private static void answerRepeated(HttpServerExchange exchange, PastRequest past) {
    EntryRoutes.tagIfPresent(exchange, past.version());
    exchange.setStatusCode(StatusCodes.NO_CONTENT).endExchange();
  }

  private static void answer(HttpServerExchange exchange, PendingWrite<StoredValue> touch) {
    if (touch.version() == 0) {
      throw EntryRoutes.noSuchKey();
    }
    EntryRoutes.tagIfPresent(exchange, touch.version());
    if (!touch.applied()) {
      throw EntryRoutes.preconditionFailed();
    }
    exchange.setStatusCode(StatusCodes.NO_CONTENT).endExchange();
  }

  /** Responds with the entry as it is after the touch. */
  void get(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    QueryParameters query = QueryParameters.of(exchange, GET_PARAMETERS);
    TimeToLive ttl = TtlParameters.required(query, TOUCH);
    boolean asJson = EntryRoutes.asJson(query);
    Preconditions conditions = Preconditions.of(exchange.getRequestHeaders());
    if (!conditions.isEmpty()) {
      throw QueryParameters.invalid(
          TOUCH, "without If-Match and If-None-Match, since it gives the entry a new version");
    }
    PendingWrite<StoredValue> touch = map.writeAsync(Write.touch(key, ttl));
    DeferredResponses.sendWhenDurable(
        exchange,
        touch.durable(),
        done -> {
          if (!touch.applied()) {
            throw EntryRoutes.noSuchKey();
          }
          Versioned<StoredValue> entry =
              new Versioned<>(
                  requireNonNull(touch.previous()),
                  touch.version(),
                  ttl.duration().map(clock.instant()::plus));
          entries.answerEntry(done, key, conditions, entry, asJson);
        });
  }
}
