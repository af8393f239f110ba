package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemException;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Sends responses once the log has acknowledged the state that they report. */
public final class DeferredResponses {

  private static final ThreadLocal<ResponseQueue> DUE = ThreadLocal.withInitial(ResponseQueue::new);

  private DeferredResponses() {}

  /**
   * Responds at once if the future is done. Otherwise responds later, on the exchange's own I/O
   * thread, together with the other responses of the same group commit. No thread waits.
   */
  public static void sendWhenDurable(
      HttpServerExchange exchange, CompletableFuture<Void> durable, HttpHandler answer)
      throws Exception {
    if (durable.isDone()) {
      durable.join();
      answer.handleRequest(exchange);
      return;
    }
    Executor ioThread =
        exchange.isInIoThread() ? SameThreadExecutor.INSTANCE : exchange.getIoThread();
    exchange.dispatch(ioThread, () -> sendLater(exchange, durable, answer));
  }

  // Runs on the exchange's I/O thread.
  private static void sendLater(
      HttpServerExchange exchange, CompletableFuture<Void> durable, HttpHandler answer) {
    ResponseQueue responseQueue = DUE.get();
    CompletableFuture<Void> unused =
        durable.whenComplete(
            (done, failure) ->
                responseQueue.add(
                    () -> sendWhenDurable(exchange, failure, answer), exchange.getIoThread()));
  }

  /**
   * Goes on with a request at once if the future is done. Otherwise goes on later, on the
   * exchange's own I/O thread, together with all that wait for the same future. No thread waits.
   *
   * @param ifFailed the problem of the request if the future fails
   */
  public static void continueWhenDone(
      HttpServerExchange exchange,
      CompletableFuture<Void> future,
      ProblemException ifFailed,
      HttpHandler next)
      throws Exception {
    if (!future.isDone()) {
      exchange.dispatch(
          SameThreadExecutor.INSTANCE, () -> continueLater(exchange, future, ifFailed, next));
    } else if (future.isCompletedExceptionally()) {
      throw ifFailed;
    } else {
      next.handleRequest(exchange);
    }
  }

  // Runs on the exchange's I/O thread.
  private static void continueLater(
      HttpServerExchange exchange,
      CompletableFuture<Void> future,
      ProblemException ifFailed,
      HttpHandler next) {
    ResponseQueue responseQueue = DUE.get();
    HttpHandler mapped = ExceptionMapper.mapped(next);
    CompletableFuture<Void> unused =
        future.whenComplete(
            (done, failure) ->
                responseQueue.add(
                    () -> {
                      if (failure == null) {
                        Connectors.executeRootHandler(mapped, exchange);
                      } else {
                        ExceptionMapper.respond(exchange, ifFailed);
                      }
                    },
                    exchange.getIoThread()));
  }

  /**
   * The responses that one I/O thread has to send. A group commit acknowledges many writes at once,
   * and waking the thread for each would cost more than the responses.
   */
  private static final class ResponseQueue implements Runnable {
    // The first thread that adds to an idle queue schedules the I/O thread. `awake` is cleared
    // before the queue is emptied. So a response added after that schedules the thread again, and
    // one added before is taken.
    private final ConcurrentLinkedQueue<Runnable> answers = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean awake = new AtomicBoolean();

    void add(Runnable answer, Executor ioThread) {
      answers.add(answer);
      if (awake.compareAndSet(false, true)) {
        ioThread.execute(this);
      }
    }

    @Override
    public void run() {
      awake.set(false);
      for (Runnable answer; (answer = answers.poll()) != null; ) {
        answer.run();
      }
    }
  }

  private static void sendWhenDurable(
      HttpServerExchange exchange, @Nullable Throwable failure, HttpHandler answer) {
    try {
      if (failure == null) {
        answer.handleRequest(exchange);
      } else {
        ExceptionMapper.respond(exchange, failure);
      }
    } catch (Throwable notAnswered) {
      ExceptionMapper.respond(exchange, notAnswered);
    }
  }
}
