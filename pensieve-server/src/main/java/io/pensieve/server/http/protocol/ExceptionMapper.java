package io.pensieve.server.http.protocol;

import io.pensieve.log.LogException;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.xnio.IoUtils;
import org.xnio.XnioExecutor;

/** Where exceptions become answers: the one place that knows which status stands for which. */
public final class ExceptionMapper {
  private static final Logger LOGGER = Logger.getLogger(ExceptionMapper.class.getName());

  /** How long what is sent behind a refusal is read and dropped. */
  static final long LINGER_SECONDS = 5;

  private ExceptionMapper() {}

  /**
   * The same handler, with its exceptions answered. Must be the innermost wrapper, and there again
   * after every dispatch: an exception is thrown to whoever runs the task, not to who dispatched.
   */
  public static HttpHandler mapped(HttpHandler handler) {
    return exchange -> {
      try {
        handler.handleRequest(exchange);
      } catch (Throwable failure) {
        respond(exchange, failure);
      }
    };
  }

  /**
   * Answers with the problem that this failure is; or cuts the client off, if there is no memory
   * even for that: else it would keep for ever what it holds.
   */
  public static void respond(HttpServerExchange exchange, Throwable failure) {
    try {
      sendProblem(exchange, failure);
    } catch (RuntimeException | Error notAnswered) {
      IoUtils.safeClose(exchange.getConnection());
      exchange.endExchange();
    }
  }

  private static void sendProblem(HttpServerExchange exchange, Throwable failure) {
    ProblemException exception = refusalFor(failure);
    if (exchange.isComplete()) {
      return; // the client has gone meanwhile
    }
    if (exchange.isResponseStarted()) {
      // Half an answer cannot be taken back; a cut connection is at least no lie.
      IoUtils.safeClose(exchange.getConnection());
      return;
    }
    ProblemType problem = exception.type();
    if (problem.isTransient()) {
      exchange.getResponseHeaders().put(Headers.RETRY_AFTER, 1);
    }
    if (problem == ProblemType.BODY_TOO_LARGE) {
      KeepAliveHandler.end(exchange);
    }
    IoCallback whenSent = IoCallback.END_EXCHANGE;
    if (!exchange.isRequestComplete()) {
      cutOffAfterLinger(exchange);
      whenSent = endWithRestOfBody(exchange);
    }
    JsonResponses.problem(exchange, exception, StatusCodes.getReason(problem.status()), whenSent);
  }

  // The rest of a refused body is read and dropped, since a client that is cut off while it sends
  // may never see the answer. But not for ever.
  public static void cutOffAfterLinger(HttpServerExchange exchange) {
    XnioExecutor.Key cut =
        exchange
            .getIoThread()
            .executeAfter(
                () -> IoUtils.safeClose(exchange.getConnection()),
                LINGER_SECONDS,
                TimeUnit.SECONDS);
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          cut.remove();
          next.proceed();
        });
  }

  // Undertow would close the receiving side of a connection that does not persist at once: the
  // client would be reset. So it takes it for one that does, until the body has been read.
  private static IoCallback endWithRestOfBody(HttpServerExchange exchange) {
    if (exchange.isPersistent()) {
      return IoCallback.END_EXCHANGE;
    }
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          completed.setPersistent(false);
          next.proceed();
        });
    return new IoCallback() {
      @Override
      public void onComplete(HttpServerExchange answered, Sender sender) {
        answered.setPersistent(true);
        answered.endExchange();
      }

      @Override
      public void onException(HttpServerExchange gone, Sender sender, IOException why) {
        IoCallback.END_EXCHANGE.onException(gone, sender, why);
      }
    };
  }

  /** What a failure is to the client. */
  public static ProblemException refusalFor(Throwable failure) {
    if (failure instanceof ProblemException exception) {
      return exception;
    }
    if (failure instanceof CompletionException && failure.getCause() != null) {
      return refusalFor(failure.getCause());
    }
    if (failure instanceof ArithmeticException) {
      return ProblemType.NOT_AN_INTEGER.withDetail(
          "the value is not a whole number of 64 bits, or the sum would not be one");
    }
    if (failure instanceof LogException.Full) {
      return ProblemType.LOG_FULL.withDetail(
          "there is no room for another write; nothing was changed");
    }
    if (failure instanceof LogException) {
      return ProblemType.LOG_FAILED.withDetail(
          "the log has failed; writes are refused until the server is started again");
    }
    logUnexpected(failure);
    return ProblemType.INTERNAL_ERROR.withDetail(
        "an unexpected failure, which the server has logged");
  }

  // Type and place, but no message: it could quote a key or a value.
  public static void logUnexpected(Throwable failure) {
    StringBuilder trace = new StringBuilder("unexpected " + failure.getClass().getName());
    for (StackTraceElement frame : failure.getStackTrace()) {
      trace.append(System.lineSeparator()).append("    at ").append(frame);
    }
    LOGGER.log(Level.SEVERE, "{0}", trace);
  }
}
