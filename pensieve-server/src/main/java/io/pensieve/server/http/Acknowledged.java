package io.pensieve.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Answers when the log has acknowledged what the answer tells. */
final class Acknowledged {

  private Acknowledged() {}

  /**
   * Answers at once if this is done, and otherwise later, on the exchange's own I/O thread with all
   * the others of its group commit. No thread waits.
   */
  static void answer(
      HttpServerExchange exchange, CompletableFuture<Void> durable, HttpHandler answer)
      throws Exception {
    if (durable.isDone()) {
      durable.join();
      answer.handleRequest(exchange);
      return;
    }
    exchange.dispatch(SameThreadExecutor.INSTANCE, () -> answerLater(exchange, durable, answer));
  }

  private static void answerLater(
      HttpServerExchange exchange, CompletableFuture<Void> durable, HttpHandler answer) {
    CompletableFuture<Void> unused =
        durable.whenComplete(
            (done, failure) ->
                exchange.getIoThread().execute(() -> answer(exchange, failure, answer)));
  }

  private static void answer(
      HttpServerExchange exchange, @Nullable Throwable failure, HttpHandler answer) {
    try {
      if (failure == null) {
        answer.handleRequest(exchange);
      } else {
        Failures.answer(exchange, failure);
      }
    } catch (Exception notAnswered) {
      Failures.answer(exchange, notAnswered);
    }
  }
}
