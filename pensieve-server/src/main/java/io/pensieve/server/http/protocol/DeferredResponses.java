package io.pensieve.server.http.protocol;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
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
   * Calls back when the future is done, on the current I/O thread, together with all that wait for
   * the same future. Call this on the exchange's own I/O thread.
   *
   * @param next receives the failure, or null
   */
  public static void whenDone(
      HttpServerExchange exchange,
      CompletableFuture<Void> future,
      Consumer<@Nullable Throwable> next) {
    ResponseQueue responseQueue = DUE.get();
    CompletableFuture<Void> unused =
        future.whenComplete(
            (done, failure) ->
                responseQueue.add(() -> next.accept(failure), exchange.getIoThread()));
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
