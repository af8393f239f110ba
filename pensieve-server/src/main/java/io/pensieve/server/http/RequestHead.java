package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http2.Http2ServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Protocols;

/** What must hold of a request's first line and headers, whatever its route. */
final class RequestHead {
  // Undertow parses heads of up to twice the limit, so that who exceeds it is told so; beyond that
  // it answers with nothing but a 400, as it does whatever it cannot parse.

  private static final int LENGTH_DIGITS_MAX = 18;
  private static final int BETWEEN = ": \r\n".length();
  private static final String SPOKEN = "HTTP/1."; // a later minor version understands ours

  private final int bytesMax;

  RequestHead(Limits limits) {
    bytesMax = limits.headerBytesMax();
  }

  /** How long a head Undertow is to parse, in bytes. */
  static int parsedBytesMax(Limits limits) {
    return (int) Math.min(Integer.MAX_VALUE, 2L * limits.headerBytesMax());
  }

  /**
   * Lets a request pass whose version, length and end are known.
   *
   * @throws Refusal otherwise
   */
  void require(HttpServerExchange exchange) {
    requireSpokenVersion(exchange);
    requireBounded(exchange);
    requireKnownFraming(exchange.getRequestHeaders(), exchange);
  }

  // The server below would claim to speak whatever version is asked for, as in HTTP/0.9 200.
  private static void requireSpokenVersion(HttpServerExchange exchange) {
    HttpString asked = exchange.getProtocol();
    if (asked.equals(Protocols.HTTP_1_1)
        || asked.equals(Protocols.HTTP_1_0)
        || exchange.getConnection() instanceof Http2ServerConnection) {
      return;
    }
    exchange.setPersistent(false);
    exchange.setProtocol(Protocols.HTTP_1_1);
    if (!asked.toString().startsWith(SPOKEN)) {
      throw Problem.UNSUPPORTED_HTTP_VERSION.because("this server speaks HTTP/1.1, 1.0 and 2");
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
      throw Problem.HEADER_TOO_LARGE.because(
          "the first line and the headers have " + bytes + " bytes, the limit is " + bytesMax);
    }
  }

  // What the server below does not understand it would read until the client closes, and a length
  // of too many digits it lets overflow. Where such a body ends is not known.
  private static void requireKnownFraming(HeaderMap headers, HttpServerExchange exchange) {
    HeaderValues codings = headers.get(Headers.TRANSFER_ENCODING);
    if (codings != null
        && (codings.size() != 1 || !codings.getFirst().equalsIgnoreCase("chunked"))) {
      exchange.setPersistent(false);
      throw Problem.UNSUPPORTED_TRANSFER_ENCODING.because(
          "the only Transfer-Encoding is chunked, said once");
    }
    String claimed = headers.getFirst(Headers.CONTENT_LENGTH);
    if (claimed != null && claimed.length() > LENGTH_DIGITS_MAX) {
      throw Problem.BODY_TOO_LARGE.because(
          "Content-Length has more than " + LENGTH_DIGITS_MAX + " digits");
    }
  }
}
