package io.pensieve.server.http;

import com.google.gson.stream.JsonToken;
import io.pensieve.IncrementResult;
import io.pensieve.Pensieve;
import io.pensieve.TimeToLive;
import io.pensieve.server.http.json.JsonObjectReader;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.EntityTags;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MediaType;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.protocol.RawPath;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.PastRequest;
import io.pensieve.server.http.value.StoredNumberCodec;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** The route that adds to numbers. */
final class IncrementRoute {
  private static final Map<String, JsonToken> FIELDS = Map.of("by", JsonToken.NUMBER);
  private static final int BODY_BYTES_MAX = 1 << 10;
  private static final Set<String> PARAMETERS =
      Set.of(TtlParameters.TTL, TtlParameters.INITIAL_TTL);

  private final Pensieve<String, StoredValue> map;
  private final SizeLimits limits;
  private final IdempotentWrites writes;

  IncrementRoute(Pensieve<String, StoredValue> map, SizeLimits limits, IdempotentWrites writes) {
    this.map = map;
    this.limits = limits;
    this.writes = writes;
  }

  void post(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    TimeToLive ttl =
        TtlParameters.of(QueryParameters.of(exchange, PARAMETERS)).orElse(TimeToLive.unchanged());
    MediaType.requireJson(exchange.getRequestHeaders());
    RequestBody.read(
        exchange,
        BODY_BYTES_MAX,
        body -> {
          long by = JsonObjectReader.read(body, FIELDS).integer("by");
          Optional<CompletableFuture<IncrementResult>> executed =
              writes.execute(
                  exchange,
                  () -> increment(map, key, by, ttl),
                  (done, past) -> answer(done, number(past), past.version()));
          if (executed.isPresent()) {
            CompletableFuture<IncrementResult> sum = executed.get();
            DeferredResponses.sendWhenDurable(
                exchange,
                sum.thenAccept(done -> {}),
                done -> answer(done, sum.join().value(), sum.join().version()));
          }
        });
  }

  /** Adds to a number. The future completes with the sum, or with the problem. */
  static CompletableFuture<IncrementResult> increment(
      Pensieve<String, StoredValue> map, String key, long by, TimeToLive ttl) {
    return map.incrementAsync(key, by, StoredNumberCodec.DECIMAL, ttl)
        .exceptionallyCompose(IncrementRoute::refused);
  }

  // Only the sum's own refusal is the client's fault, not any ArithmeticException of the server.
  private static CompletableFuture<IncrementResult> refused(Throwable failure) {
    boolean isRefusal =
        failure instanceof CompletionException && failure.getCause() instanceof ArithmeticException;
    return CompletableFuture.failedFuture(
        isRefusal
            ? ProblemType.NOT_AN_INTEGER.withDetail(
                "the value is not a whole number of 64 bits, or the sum would not be one")
            : failure);
  }

  // A number is always short enough to be remembered.
  private static long number(PastRequest past) {
    return StoredNumberCodec.DECIMAL.toLong(past.value().orElseThrow());
  }

  private static void answer(HttpServerExchange exchange, long sum, long version) {
    exchange.getResponseHeaders().put(Headers.ETAG, EntityTags.tag(version));
    JsonResponses.object(
        exchange, json -> json.name("value").value(sum).name("version").value(version));
  }
}
