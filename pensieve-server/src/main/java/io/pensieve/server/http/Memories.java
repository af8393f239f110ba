package io.pensieve.server.http;

import com.google.gson.stream.JsonToken;
import io.pensieve.Pensieve;
import io.pensieve.Submission;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The routes that read and write entries. */
final class Memories {
  private static final Map<String, JsonToken> PUT_FIELDS =
      Map.of("key", JsonToken.STRING, "val", JsonToken.STRING);

  private final Pensieve<String, String> memories;
  private final Limits limits;
  private final boolean readsMayWait;

  /**
   * The routes on a map.
   *
   * @param readsMayWait whether a read may wait for the disk: it does, if the value is one that the
   *     log has not acknowledged yet, and acknowledging means forcing
   */
  Memories(Pensieve<String, String> memories, Limits limits, boolean readsMayWait) {
    this.memories = memories;
    this.limits = limits;
    this.readsMayWait = readsMayWait;
  }

  void get(HttpServerExchange exchange, String rawKey) {
    String key = limits.key(RawPath.decode(rawKey));
    if (readsMayWait) {
      exchange.dispatch(Failures.mapped(onWorker -> answerValue(onWorker, key)));
    } else {
      answerValue(exchange, key);
    }
  }

  private void answerValue(HttpServerExchange exchange, String key) {
    String value = memories.get(key);
    Answers.object(exchange, json -> json.name("val").value(value == null ? "" : value));
  }

  void put(HttpServerExchange exchange, String noKey) throws Exception {
    MediaType.requireJson(exchange.getRequestHeaders());
    RequestBody.read(
        exchange,
        limits.bodyBytesMax(),
        body -> {
          JsonFields fields = JsonFields.read(body, PUT_FIELDS);
          String key = limits.key(fields.string("key"));
          String value = limits.value(fields.string("val"));
          answerWhenDurable(exchange, memories.submitPut(key, value));
        });
  }

  void delete(HttpServerExchange exchange, String rawKey) {
    String key = limits.key(RawPath.decode(rawKey));
    answerWhenDurable(exchange, memories.submitRemove(key));
  }

  // No thread waits: a write that is durable at once is answered at once, and one that waits for
  // the disk is answered on its own I/O thread, with all the others of its group commit.
  private static void answerWhenDurable(HttpServerExchange exchange, Submission<String> write) {
    if (write.durable().isDone()) {
      write.durable().join();
      Answers.ok(exchange);
      return;
    }
    exchange.dispatch(SameThreadExecutor.INSTANCE, () -> answerLater(exchange, write));
  }

  private static void answerLater(HttpServerExchange exchange, Submission<String> write) {
    CompletableFuture<Void> unused =
        write
            .durable()
            .whenComplete(
                (done, failure) -> exchange.getIoThread().execute(() -> answer(exchange, failure)));
  }

  private static void answer(HttpServerExchange exchange, @Nullable Throwable failure) {
    if (failure == null) {
      Answers.ok(exchange);
    } else {
      Failures.answer(exchange, failure);
    }
  }
}
