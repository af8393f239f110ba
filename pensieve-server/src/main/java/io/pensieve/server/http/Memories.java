package io.pensieve.server.http;

import com.google.gson.stream.JsonToken;
import io.pensieve.Observation;
import io.pensieve.Pensieve;
import io.pensieve.Versioned;
import io.undertow.server.HttpServerExchange;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The routes that read and write texts. */
final class Memories {
  private static final Map<String, JsonToken> PUT_FIELDS =
      Map.of("key", JsonToken.STRING, "val", JsonToken.STRING);
  private static final byte[] BEFORE_VALUE = "{\"val\":".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] NO_VALUE = "{\"val\":\"\"}".getBytes(StandardCharsets.US_ASCII);

  private final Pensieve<String, StoredValue> memories;
  private final Limits limits;
  private final boolean readsMayWait;

  /**
   * The routes on a map.
   *
   * @param readsMayWait whether a read may wait for the disk: it does, if the value is one that the
   *     log has not acknowledged yet, and acknowledging means forcing
   */
  Memories(Pensieve<String, StoredValue> memories, Limits limits, boolean readsMayWait) {
    this.memories = memories;
    this.limits = limits;
    this.readsMayWait = readsMayWait;
  }

  void get(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    if (readsMayWait) {
      Observation<StoredValue> seen = memories.observe(key);
      Versioned<StoredValue> entry = seen.entry();
      StoredValue value = entry == null ? null : entry.value();
      Acknowledged.answer(exchange, seen.durable(), done -> answerValue(done, value));
    } else {
      answerValue(exchange, memories.get(key));
    }
  }

  private static void answerValue(HttpServerExchange exchange, @Nullable StoredValue value) {
    if (value == null) {
      Answers.send(exchange, "application/json", NO_VALUE);
    } else if (value.size() <= JsonPieces.SHORT_BYTES_MAX) {
      byte[] body = JsonPieces.objectOfText(BEFORE_VALUE, value);
      if (body == null) {
        throw notText();
      }
      Answers.send(exchange, "application/json", body);
    } else {
      Answers.objectOf(
          exchange,
          value,
          json -> {
            if (!json.text("val", value)) {
              throw notText();
            }
          });
    }
  }

  private static Refusal notText() {
    return Problem.NOT_TEXT.because(
        "the value is not UTF-8, so this route cannot tell it; /v1/kv/ can");
  }

  void put(HttpServerExchange exchange, String noKey) throws Exception {
    MediaType.requireJson(exchange.getRequestHeaders());
    RequestBody.read(
        exchange,
        limits.bodyBytesMax(),
        limits.textBytesMax(),
        body -> {
          JsonFields fields = JsonFields.read(body, PUT_FIELDS);
          String key = limits.key(fields.string("key"));
          StoredValue value = StoredValue.text(limits.value(fields.string("val")));
          limits.requireRoom(key, value);
          Acknowledged.answer(exchange, memories.submitPut(key, value).durable(), Answers::ok);
        });
  }

  void delete(HttpServerExchange exchange, String rawKey) throws Exception {
    String key = limits.key(RawPath.decode(rawKey));
    Acknowledged.answer(exchange, memories.submitRemove(key).durable(), Answers::ok);
  }
}
