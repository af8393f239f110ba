package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import org.jspecify.annotations.Nullable;

/** What must hold of a request's first line and headers, whatever its route. */
public final class RequestHead {
  // Heads of up to twice the limit are read, so that who exceeds it is told by how much.

  private static final int BETWEEN = ": \r\n".length();

  private final int bytesMax;

  public RequestHead(SizeLimits limits) {
    bytesMax = limits.headerBytesMax();
  }

  /** How long a head may be to be read at all, in bytes. */
  public static int parsedBytesMax(SizeLimits limits) {
    return (int) Math.min(Integer.MAX_VALUE, 2L * limits.headerBytesMax());
  }

  /**
   * Lets a request pass that is whole and not too long.
   *
   * @throws io.pensieve.server.http.json.ProblemException otherwise
   */
  public void require(HttpServerExchange exchange) {
    if (exchange.getRequestMethod().toString().equals(FramingError.METHOD)) {
      requireFaultless(exchange.getRequestHeaders().get(FramingError.FIELD));
    }
    requireBounded(exchange);
  }

  /**
   * Lets a body pass that is whole.
   *
   * @throws io.pensieve.server.http.json.ProblemException otherwise
   */
  static void requireWholeBody(HttpServerExchange exchange) {
    HeaderMap trailers = exchange.getAttachment(HttpAttachments.REQUEST_TRAILERS);
    if (trailers != null && trailers.contains(FramingError.FIELD)) {
      KeepAliveHandler.end(exchange);
      requireFaultless(trailers.get(FramingError.FIELD));
    }
  }

  // Whoever sends such a field himself has his own request refused.
  private static void requireFaultless(@Nullable HeaderValues named) {
    for (FramingError fault : FramingError.values()) {
      if (named != null && named.contains(fault.name())) {
        throw fault.exception();
      }
    }
  }

  private void requireBounded(HttpServerExchange exchange) {
    long bytes =
        (long) exchange.getRequestMethod().length()
            + exchange.getRequestURI().length()
            + exchange.getQueryString().length()
            + exchange.getProtocol().length()
            + BETWEEN;
    HeaderMap headers = exchange.getRequestHeaders();
    for (long at = headers.fastIterate(); at != -1; at = headers.fiNext(at)) {
      HeaderValues values = headers.fiCurrent(at);
      for (int i = 0; i < values.size(); i++) {
        bytes += values.getHeaderName().length() + values.get(i).length() + BETWEEN;
      }
    }
    if (bytes > bytesMax) {
      throw ProblemType.HEADER_TOO_LARGE.withDetail(
          "the first line and the headers have " + bytes + " bytes, the limit is " + bytesMax);
    }
  }
}
