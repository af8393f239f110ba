package io.pensieve.server.http;

import com.google.gson.stream.JsonToken;
import io.pensieve.PendingRead;
import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import io.pensieve.Versioned;
import io.pensieve.server.http.json.JsonObjectReader;
import io.pensieve.server.http.json.LazyJsonWriter;
import io.pensieve.server.http.json.PlainFields;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MediaType;
import io.pensieve.server.http.protocol.RawPath;
import io.pensieve.server.http.protocol.RequestBody;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The routes that read and write texts. */
final class TextRoutes {
  private static final Map<String, JsonToken> PUT_FIELDS =
      Map.of("key", JsonToken.STRING, "val", JsonToken.STRING);
  private static final byte[] KEY_NAME = "\"key\"".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] VALUE_NAME = "\"val\"".getBytes(StandardCharsets.US_ASCII);
  private static final int PLAIN_BYTES_MAX = 16 << 10; // a longer body is not read at once
  private static final byte[] BEFORE_VALUE = "{\"val\":".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] NO_VALUE = "{\"val\":\"\"}".getBytes(StandardCharsets.US_ASCII);

  private final Pensieve<String, StoredValue> map;
  private final SizeLimits limits;
  private final boolean readsMayWait;
  private final IdempotentWrites writes;

  /**
   * Creates the routes on a map.
   *
   * @param readsMayWait whether a read may wait for the disk: it waits for a value that the log has
   *     not acknowledged yet, if the log forces before it acknowledges
   */
  TextRoutes(
      Pensieve<String, StoredValue> map,
      SizeLimits limits,
      boolean readsMayWait,
      IdempotentWrites writes) {
    this.map = map;
    this.limits = limits;
    this.readsMayWait = readsMayWait;
    this.writes = writes;
  }

  void get(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    if (readsMayWait) {
      PendingRead<StoredValue> seen = map.getAsync(key);
      LeaderGate.requireCertain(exchange, seen.expired());
      Versioned<StoredValue> entry = seen.entry();
      StoredValue value = entry == null ? null : entry.value();
      DeferredResponses.sendWhenDurable(exchange, seen.durable(), done -> answerValue(done, value));
    } else {
      answerValue(exchange, map.get(key));
    }
  }

  private static void answerValue(HttpServerExchange exchange, @Nullable StoredValue value) {
    if (value == null) {
      JsonResponses.send(exchange, "application/json", NO_VALUE);
    } else if (value.size() <= LazyJsonWriter.SHORT_BYTES_MAX) {
      byte[] body = LazyJsonWriter.objectOfText(BEFORE_VALUE, value);
      if (body == null) {
        throw notText();
      }
      JsonResponses.send(exchange, "application/json", body);
    } else {
      JsonResponses.objectOf(
          exchange,
          value,
          json -> {
            if (!json.text("val", value)) {
              throw notText();
            }
          });
    }
  }

  private static ProblemException notText() {
    return ProblemType.NOT_TEXT.withDetail(
        "the value is not UTF-8, so this route cannot tell it; /v1/kv/ can");
  }

  void put(HttpServerExchange exchange) throws Exception {
    MediaType.requireJson(exchange.getRequestHeaders());
    RequestBody.read(
        exchange, limits.bodyBytesMax(), limits.textBytesMax(), body -> put(exchange, body));
  }

  private void put(HttpServerExchange exchange, ByteArrayInputStream body) throws Exception {
    if (body.available() > PLAIN_BYTES_MAX) {
      putFields(exchange, body);
      return;
    }
    byte[] bytes = body.readAllBytes();
    PlainFields plain = PlainFields.read(bytes, KEY_NAME, VALUE_NAME);
    if (plain == null) {
      putFields(exchange, new ByteArrayInputStream(bytes));
      return;
    }
    String key = limits.key(plain.text(0));
    StoredValue value = StoredValue.ascii(plain.bytes(1));
    limits.requireValue(value.size());
    put(exchange, key, value);
  }

  private void putFields(HttpServerExchange exchange, ByteArrayInputStream body) throws Exception {
    JsonObjectReader fields = JsonObjectReader.read(body, PUT_FIELDS);
    String key = limits.key(fields.string("key"));
    put(exchange, key, StoredValue.text(limits.value(fields.string("val"))));
  }

  private void put(HttpServerExchange exchange, String key, StoredValue value) throws Exception {
    limits.requireFits(key, value);
    write(exchange, () -> map.putAsync(key, value));
  }

  void delete(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    write(exchange, () -> map.removeAsync(key));
  }

  private void write(HttpServerExchange exchange, Supplier<PendingWrite<StoredValue>> write)
      throws Exception {
    Optional<PendingWrite<StoredValue>> executed =
        writes.execute(exchange, write, (done, past) -> JsonResponses.ok(done));
    if (executed.isPresent()) {
      DeferredResponses.sendWhenDurable(exchange, executed.get().durable(), JsonResponses::ok);
    }
  }
}
