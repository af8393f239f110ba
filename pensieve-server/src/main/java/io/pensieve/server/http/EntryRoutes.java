package io.pensieve.server.http;

import io.pensieve.PendingRead;
import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import io.pensieve.TimeToLive;
import io.pensieve.Versioned;
import io.pensieve.Write;
import io.pensieve.server.http.changes.LongPolls;
import io.pensieve.server.http.json.EntryJson;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.DurationFormat;
import io.pensieve.server.http.protocol.EntityTags;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MediaType;
import io.pensieve.server.http.protocol.Preconditions;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.protocol.RawPath;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.replication.PastRequest;
import io.pensieve.server.http.replication.ReadConsistency;
import io.pensieve.server.http.value.ConditionalWrite;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The routes that read and write single entries as bytes, with type, version and expiry. */
final class EntryRoutes {
  private static final HttpString PENSIEVE_TTL = new HttpString("Pensieve-TTL");
  private static final HttpString CONTENT_SECURITY_POLICY =
      new HttpString("Content-Security-Policy");
  private static final HttpString NOSNIFF = new HttpString("X-Content-Type-Options");

  static final String DURABILITY = "durability";
  private static final String WAIT = "wait";
  static final String AS = "as";
  private static final String JSON = "json";
  private static final Set<String> GET_PARAMETERS = Set.of(WAIT, AS, ReadConsistency.PARAMETER);
  private static final Set<String> PUT_PARAMETERS =
      Set.of(TtlParameters.TTL, TtlParameters.INITIAL_TTL, DURABILITY);
  private static final Set<String> DELETE_PARAMETERS = Set.of(DURABILITY);

  private final Pensieve<String, StoredValue> map;
  private final SizeLimits limits;
  private final DurabilityGuarantee guarantee;
  private final LongPolls polls;
  private final InstantSource clock;
  private final IdempotentWrites writes;

  EntryRoutes(
      Pensieve<String, StoredValue> map,
      SizeLimits limits,
      DurabilityGuarantee guarantee,
      LongPolls polls,
      InstantSource clock,
      IdempotentWrites writes) {
    this.map = map;
    this.limits = limits;
    this.guarantee = guarantee;
    this.polls = polls;
    this.clock = clock;
    this.writes = writes;
  }

  void get(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    QueryParameters query = QueryParameters.of(exchange, GET_PARAMETERS);
    boolean asJson = asJson(query);
    Optional<Duration> wait = query.duration(WAIT);
    Preconditions conditions = Preconditions.of(exchange.getRequestHeaders());
    if (wait.isPresent()) {
      poll(exchange, key, conditions, wait.get(), asJson);
      return;
    }
    PendingRead<StoredValue> seen = map.getAsync(key);
    LeaderGate.requireCertain(exchange, seen.expired());
    DeferredResponses.sendWhenDurable(
        exchange, seen.durable(), done -> answerEntry(done, key, conditions, seen.entry(), asJson));
  }

  static boolean asJson(QueryParameters query) {
    Optional<String> form = query.text(AS);
    if (form.isPresent() && !form.get().equals(JSON)) {
      throw QueryParameters.invalid(AS, JSON);
    }
    return form.isPresent();
  }

  private void poll(
      HttpServerExchange exchange,
      String key,
      Preconditions conditions,
      Duration wait,
      boolean asJson) {
    if (conditions.ifNoneMatch().isEmpty()) {
      throw QueryParameters.invalid(
          WAIT, "together with If-None-Match, which tells what is known already");
    }
    polls.park(
        exchange,
        key,
        conditions::ifNoneMatchNames,
        wait,
        (answering, entry) -> answerEntry(answering, key, conditions, entry, asJson));
  }

  /** Responds with an entry under the conditions of a read; null if there is none. */
  void answerEntry(
      HttpServerExchange exchange,
      String key,
      Preconditions conditions,
      @Nullable Versioned<StoredValue> entry,
      boolean asJson) {
    if (entry == null) {
      throw noSuchKey();
    }
    HeaderMap headers = exchange.getResponseHeaders();
    long version = entry.version();
    headers.put(Headers.ETAG, EntityTags.tag(version));
    // A cache may store it, but must revalidate it before each use: any client may have written
    // since.
    headers.put(Headers.CACHE_CONTROL, "no-cache");
    if (!conditions.ifMatchHolds(version)) {
      throw preconditionFailed();
    }
    Optional<Duration> ttl = entry.remaining(clock.instant());
    ttl.ifPresent(rest -> headers.put(PENSIEVE_TTL, DurationFormat.text(rest)));
    if (conditions.ifNoneMatchNames(version)) {
      exchange.setStatusCode(StatusCodes.NOT_MODIFIED).endExchange();
    } else if (asJson) {
      JsonResponses.objectOf(exchange, entry.value(), json -> EntryJson.write(json, key, entry));
    } else {
      answerBytes(exchange, entry.value());
    }
  }

  // A writer chooses what a browser shows under our origin, so restrict the browser.
  private static void answerBytes(HttpServerExchange exchange, StoredValue value) {
    HeaderMap headers = exchange.getResponseHeaders();
    headers.put(Headers.CONTENT_TYPE, value.type());
    headers.put(NOSNIFF, "nosniff");
    headers.put(CONTENT_SECURITY_POLICY, "sandbox");
    JsonResponses.value(exchange, value);
  }

  void put(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    QueryParameters query = QueryParameters.of(exchange, PUT_PARAMETERS);
    Optional<TimeToLive> ttl = TtlParameters.of(query);
    guarantee.requireUpTo(query.text(DURABILITY));
    HeaderMap headers = exchange.getRequestHeaders();
    Preconditions conditions = Preconditions.of(headers);
    requireWhole(headers);
    String type = MediaType.ofValue(headers);
    RequestBody.read(
        exchange,
        limits.valueBytesMax(),
        body -> {
          StoredValue value = StoredValue.typed(type, body);
          limits.requireFits(key, value);
          Optional<PendingWrite<StoredValue>> executed =
              writes.execute(
                  exchange,
                  () -> putAsync(key, conditions, value, ttl),
                  (done, past) -> answerPut(done, PutResult.of(past)));
          if (executed.isPresent()) {
            PendingWrite<StoredValue> write = executed.get();
            PutResult putResult =
                new PutResult(write.version(), write.applied(), write.previous() == null);
            DeferredResponses.sendWhenDurable(
                exchange, write.durable(), done -> answerPut(done, putResult));
          }
        });
  }

  // RFC 9110, 14.5: do not store a part as the whole value.
  private static void requireWhole(HeaderMap headers) {
    if (headers.contains(Headers.CONTENT_RANGE)) {
      throw ProblemType.PARTIAL_PUT.withDetail(
          "a value is put as a whole, so without a Content-Range");
    }
  }

  private PendingWrite<StoredValue> putAsync(
      String key, Preconditions conditions, StoredValue value, Optional<TimeToLive> ttl) {
    if (conditions.isEmpty() && ttl.isEmpty()) {
      return map.putAsync(key, value);
    }
    Write.Put<String, StoredValue> put = Write.put(key, value);
    Write.Put<String, StoredValue> write = ttl.map(put::ttl).orElse(put);
    return conditions.isEmpty()
        ? map.writeAsync(write)
        : ConditionalWrite.put(map, key, write, conditions.forWrite());
  }

  /** The result of a put, without the previous value, which no budget counts any more. */
  private record PutResult(long version, boolean applied, boolean isNew) {
    static PutResult of(PastRequest past) {
      return new PutResult(past.version(), true, past.isNew());
    }
  }

  private static void answerPut(HttpServerExchange exchange, PutResult write) {
    tagIfPresent(exchange, write.version());
    if (!write.applied()) {
      throw preconditionFailed();
    }
    exchange
        .setStatusCode(write.isNew() ? StatusCodes.CREATED : StatusCodes.NO_CONTENT)
        .endExchange();
  }

  void delete(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    guarantee.requireUpTo(QueryParameters.of(exchange, DELETE_PARAMETERS).text(DURABILITY));
    Preconditions conditions = Preconditions.of(exchange.getRequestHeaders());
    Optional<PendingWrite<StoredValue>> executed =
        writes.execute(
            exchange,
            () ->
                conditions.isEmpty()
                    ? map.removeAsync(key)
                    : ConditionalWrite.remove(map, key, conditions.forWrite()),
            (done, past) -> done.setStatusCode(StatusCodes.NO_CONTENT).endExchange());
    if (executed.isPresent()) {
      PendingWrite<StoredValue> removal = executed.get();
      DeferredResponses.sendWhenDurable(
          exchange, removal.durable(), done -> answerDelete(done, removal, conditions));
    }
  }

  private static void answerDelete(
      HttpServerExchange exchange, PendingWrite<StoredValue> removal, Preconditions conditions) {
    // An entry that was not removed was absent, unless its version failed the condition.
    if (!removal.applied() && !conditions.forWrite().test(removal.version())) {
      tagIfPresent(exchange, removal.version());
      throw preconditionFailed();
    }
    exchange.setStatusCode(StatusCodes.NO_CONTENT).endExchange();
  }

  static void tagIfPresent(HttpServerExchange exchange, long version) {
    if (version != 0) {
      exchange.getResponseHeaders().put(Headers.ETAG, EntityTags.tag(version));
    }
  }

  static ProblemException noSuchKey() {
    return ProblemType.NO_SUCH_KEY.withDetail("there is no entry of this key");
  }

  static ProblemException preconditionFailed() {
    return ProblemType.PRECONDITION_FAILED.withDetail(
        "the entry does not have the version that is asked for; ETag tells which it has, if any");
  }
}
