package io.pensieve.server.http.protocol;

import io.pensieve.log.LogException;
import io.pensieve.server.http.json.LazyJsonWriter;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.xnio.IoUtils;
import org.xnio.XnioExecutor;

/** Maps exceptions to problems, and sends those. Only this class knows which is which. */
public final class ExceptionMapper {
  private static final Logger LOGGER = Logger.getLogger(ExceptionMapper.class.getName());

  /** How long the server reads and drops the rest of a rejected request, in seconds. */
  static final long LINGER_SECONDS = 5;

  /**
   * Tells a node that forwarded a request that nothing came of it, so it may be sent to another
   * node.
   */
  public static final HttpString NOT_EXECUTED = new HttpString("Pensieve-Not-Executed");

  private ExceptionMapper() {}

  /**
   * Wraps a handler so that its exceptions become responses. This must be the innermost wrapper,
   * and must be applied again after every dispatch: the thread that runs a dispatched task gets its
   * exceptions, not the dispatching one.
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
   * Sends the problem response for a failure. If even that fails, for instance for lack of memory,
   * closes the connection; otherwise the exchange would keep its resources forever.
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
    ProblemException exception = problemFor(failure);
    if (exchange.isComplete()) {
      return; // the client has disconnected
    }
    if (exchange.isResponseStarted()) {
      // A started response cannot be retracted. Closing the connection shows it to be incomplete.
      IoUtils.safeClose(exchange.getConnection());
      return;
    }
    ProblemType problem = exception.type();
    if (problem.isTransient()) {
      exchange.getResponseHeaders().put(Headers.RETRY_AFTER, 1);
    }
    if (problem == ProblemType.NO_LEADER) {
      exchange.getResponseHeaders().put(NOT_EXECUTED, "true");
    }
    if (problem == ProblemType.BODY_TOO_LARGE) {
      KeepAliveHandler.end(exchange);
    }
    IoCallback whenSent = IoCallback.END_EXCHANGE;
    if (!exchange.isRequestComplete()) {
      cutOffAfterLinger(exchange);
      whenSent = endWithRestOfBody(exchange);
    }
    send(exchange, exception, StatusCodes.getReason(problem.status()), whenSent);
  }

  /** Sends a problem (RFC 9457) with its status. */
  private static void send(
      HttpServerExchange exchange, ProblemException exception, String title, IoCallback whenSent) {
    ProblemType problem = exception.type();
    exchange.setStatusCode(problem.status());
    byte[] body =
        LazyJsonWriter.object(
                json -> {
                  json.name("type").value("about:blank");
                  json.name("title").value(title);
                  json.name("status").value(problem.status());
                  json.name("code").value(problem.code());
                  json.name("detail").value(exception.detail());
                  exception.members().write(json);
                })
            .toBytes();
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/problem+json");
    exchange
        .getResponseHeaders()
        .put(Headers.CACHE_CONTROL, "no-store"); // replaces what a value may have set
    exchange.setResponseContentLength(body.length);
    exchange.getResponseSender().send(ByteBuffer.wrap(body), whenSent);
  }

  // A client that loses its connection while it sends may never see the response. So the server
  // reads and drops the rest of a rejected body, for a limited time.
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

  // For a connection that does not persist, Undertow closes the receiving side at once, which
  // resets the client. So mark it persistent until the server has read the body.
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

  /** Returns the problem that a failure is to the client. */
  public static ProblemException problemFor(Throwable failure) {
    if (failure instanceof ProblemException exception) {
      return exception;
    }
    if (failure instanceof CompletionException && failure.getCause() != null) {
      return problemFor(failure.getCause());
    }
    if (failure instanceof LogException.Full) {
      return ProblemType.LOG_FULL.withDetail(
          "there is no room for another write; nothing was changed");
    }
    if (failure instanceof LogException.ReadOnly) {
      return ProblemType.NO_LEADER.withDetail(
          "this node does not lead its cluster any more; nothing was changed");
    }
    if (failure instanceof LogException.OutcomeUnknown) {
      return ProblemType.OUTCOME_UNKNOWN.withDetail(
          "the leader changed meanwhile; the write may or may not take effect");
    }
    if (failure instanceof LogException.Overloaded) {
      return ProblemType.OVERLOADED.withDetail(
          "too many writes wait for a majority of the cluster; nothing was changed");
    }
    if (failure instanceof LogException) {
      return ProblemType.LOG_FAILED.withDetail(
          "the log has failed; writes are refused until the server is started again");
    }
    logUnexpected(failure);
    return ProblemType.INTERNAL_ERROR.withDetail(
        "an unexpected failure, which the server has logged");
  }

  // Log the type and the stack, but not the message: it could quote a key or a value.
  public static void logUnexpected(Throwable failure) {
    StringBuilder trace = new StringBuilder("unexpected " + failure.getClass().getName());
    for (StackTraceElement frame : failure.getStackTrace()) {
      trace.append(System.lineSeparator()).append("    at ").append(frame);
    }
    LOGGER.log(Level.SEVERE, "{0}", trace);
  }
}
