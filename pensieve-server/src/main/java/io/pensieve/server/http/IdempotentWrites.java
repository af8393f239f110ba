package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.DeferredResponses;
import io.pensieve.server.http.protocol.RawPath;
import io.pensieve.server.http.replication.PastRequest;
import io.pensieve.server.http.replication.Replication;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Executes a write with an {@code Idempotency-Key} once, however often its request comes. The log
 * of the cluster remembers the requests, with their changes. A server that does not replicate
 * refuses such writes, since it could not keep the promise.
 */
final class IdempotentWrites {
  private static final int KEY_CHARACTERS_MAX = 255;
  private static final int ID_BYTES = 16;

  private final Optional<Replication> replication;

  IdempotentWrites(Optional<Replication> replication) {
    this.replication = replication;
  }

  /** Responds to a repeated request, by what it changed when it was executed. */
  interface Repeated {
    void answer(HttpServerExchange exchange, PastRequest past) throws Exception;
  }

  /** Rejects a key where the server cannot promise that the request is executed once. */
  static void requireNone(HttpServerExchange exchange, String why) {
    if (exchange.getRequestHeaders().contains(Replication.IDEMPOTENCY_KEY)) {
      throw ProblemType.IDEMPOTENCY_NOT_PROMISED.withDetail(why);
    }
  }

  /**
   * Executes a write, unless it is one that was executed before.
   *
   * @param write one call of the map that writes; in this thread
   * @return what the write returns; empty if the request is a repeated one: then this responds
   */
  <T> Optional<T> execute(HttpServerExchange exchange, Supplier<T> write, Repeated repeated)
      throws Exception {
    HeaderValues keys = exchange.getRequestHeaders().get(Replication.IDEMPOTENCY_KEY);
    if (keys == null) {
      return Optional.of(write.get());
    }
    Replication requests =
        replication.orElseThrow(
            () ->
                ProblemType.IDEMPOTENCY_NOT_PROMISED.withDetail(
                    "only a cluster remembers requests; nothing was changed"));
    String id = id(exchange, key(keys));
    Optional<T> executed = requests.executeOnce(id, write);
    if (executed.isEmpty()) {
      PastRequest past =
          requests
              .pastRequest(id)
              .orElseThrow(
                  () ->
                      ProblemType.OVERLOADED.withDetail(
                          "this request is being executed already; nothing was changed"));
      DeferredResponses.sendWhenDurable(
          exchange, requests.whenDurable(past.version()), done -> repeated.answer(done, past));
    }
    return executed;
  }

  private static String key(HeaderValues keys) {
    String key = keys.getFirst();
    boolean isVisible = key.chars().allMatch(c -> c > ' ' && c < 0x7f);
    if (keys.size() > 1 || key.isEmpty() || key.length() > KEY_CHARACTERS_MAX || !isVisible) {
      throw ProblemType.MALFORMED_IDEMPOTENCY_KEY.withDetail(
          "Idempotency-Key must be one of 1 to 255 visible characters");
    }
    return key;
  }

  // The same key for another method or path is another request.
  private static String id(HttpServerExchange exchange, String key) {
    String request =
        key
            + " "
            + exchange.getRequestMethod()
            + " "
            + RawPath.of(exchange)
            + "?"
            + exchange.getQueryString();
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(request.getBytes(UTF_8));
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(Arrays.copyOf(digest, ID_BYTES));
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }
}
