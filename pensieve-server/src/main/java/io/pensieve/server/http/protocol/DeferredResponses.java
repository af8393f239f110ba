package io.pensieve.server.http.protocol;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Answers when the log has acknowledged what the answer tells. */
public final class DeferredResponses {

  private static final ThreadLocal<ResponseQueue> DUE = ThreadLocal.withInitial(ResponseQueue::new);

  private DeferredResponses() {}

  /**
   * Answers at once if this is done, and otherwise later, on the exchange's own I/O thread with all
   * the others of its group commit. No thread waits.
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

  // On the exchange's I/O thread.
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
   * What one I/O thread has to answer. A group commit acknowledges many writes at once, and waking
   * the thread for each of them would cost more than the answers.
   */
  private static final class ResponseQueue implements Runnable {
    // Whoever adds to what nobody is about to answer sees to it that it is. `awake` is cleared
    // before the answers are taken: what is added after that wakes the thread again, and what was
    // added before it is taken.
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
