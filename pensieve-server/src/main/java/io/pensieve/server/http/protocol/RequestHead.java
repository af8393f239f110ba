package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import org.jspecify.annotations.Nullable;

/** The checks of a request's first line and headers that apply to all routes. */
public final class RequestHead {
  // Heads of up to twice the limit are parsed, so the response can tell by how much one exceeds it.

  private static final int BETWEEN = ": \r\n".length();

  private final int bytesMax;

  public RequestHead(SizeLimits limits) {
    bytesMax = limits.headerBytesMax();
  }

  /** Returns the maximum length of a head that is parsed at all, in bytes. */
  public static int parsedBytesMax(SizeLimits limits) {
    return (int) Math.min(Integer.MAX_VALUE, 2L * limits.headerBytesMax());
  }

  /**
   * Checks that the head is well-formed and not too long.
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
   * Checks that the body is well-formed.
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

  // A client that sends this field itself only gets its own request rejected.
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
