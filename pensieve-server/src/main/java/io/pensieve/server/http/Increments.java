package io.pensieve.server.http;

import com.google.gson.stream.JsonToken;
import io.pensieve.Increment;
import io.pensieve.Pensieve;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The route that adds to numbers. */
final class Increments {
  private static final Map<String, JsonToken> FIELDS = Map.of("by", JsonToken.NUMBER);
  private static final int BODY_BYTES_MAX = 1 << 10;

  private final Pensieve<String, StoredValue> memories;
  private final Limits limits;

  Increments(Pensieve<String, StoredValue> memories, Limits limits) {
    this.memories = memories;
    this.limits = limits;
  }

  void post(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    Query.requireNone(exchange);
    MediaType.requireJson(exchange.getRequestHeaders());
    RequestBody.read(
        exchange,
        BODY_BYTES_MAX,
        body -> {
          long by = JsonFields.read(body, FIELDS).integer("by");
          CompletableFuture<Increment> sum =
              memories.submitIncrement(key, by, StoredNumbers.DECIMAL);
          Acknowledged.answer(
              exchange, sum.thenAccept(done -> {}), done -> answer(done, sum.join()));
        });
  }

  private static void answer(HttpServerExchange exchange, Increment sum) {
    exchange.getResponseHeaders().put(Headers.ETAG, EntityTags.tag(sum.version()));
    Answers.object(
        exchange,
        json -> json.name("value").value(sum.value()).name("version").value(sum.version()));
  }
}
