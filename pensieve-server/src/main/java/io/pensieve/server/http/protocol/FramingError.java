package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import java.nio.charset.StandardCharsets;

/** The errors of a request that are found before its head is interpreted. */
enum FramingError {
  FIRST_LINE(ProblemType.MALFORMED_REQUEST, "the first line is not METHOD TARGET HTTP/1.1"),
  CONTROL(
      ProblemType.MALFORMED_REQUEST,
      "the head has a control character, or a line that does not end in CR LF"),
  FIELD_LINE(ProblemType.MALFORMED_REQUEST, "a header field is not NAME: VALUE in one line"),
  HOST(
      ProblemType.MALFORMED_REQUEST, "there must be one Host, a name or an address, as in the URL"),
  TARGET(
      ProblemType.MALFORMED_PATH,
      "the target is neither a path nor a URL, or has a character that must be escaped,"
          + " or a % without two hex digits"),
  VERSION(ProblemType.UNSUPPORTED_HTTP_VERSION, "this server speaks HTTP/1.1 and 1.0"),
  HEAD_LENGTH(
      ProblemType.HEADER_TOO_LARGE,
      "the first line and the headers are more than twice as long as they may be"),
  LENGTH(ProblemType.MALFORMED_REQUEST, "Content-Length is not one number in digits"),
  LENGTH_DIGITS(
      ProblemType.BODY_TOO_LARGE,
      "Content-Length has more than " + FramingError.LENGTH_DIGITS_MAX + " digits"),
  CODING(
      ProblemType.UNSUPPORTED_TRANSFER_ENCODING,
      "the only Transfer-Encoding is chunked, said once"),
  CODING_WITH_LENGTH(
      ProblemType.MALFORMED_REQUEST, "there are both a Transfer-Encoding and a Content-Length"),
  CODING_IN_HTTP_10(ProblemType.MALFORMED_REQUEST, "HTTP/1.0 has no Transfer-Encoding"),
  CHUNK(
      ProblemType.MALFORMED_REQUEST,
      "a chunk is not a size in hex digits, CR LF, so many bytes, and CR LF"),
  TRAILER(
      ProblemType.MALFORMED_REQUEST, "what follows the last chunk is not a header field in a line");

  /** A Content-Length with this many digits always fits into a long. */
  static final int LENGTH_DIGITS_MAX = 18;

  /** The method of the request that replaces a malformed one. */
  static final String METHOD = "-";

  /** The header or trailer field that names the error. */
  static final String FIELD = "Pensieve-Fault";

  private final ProblemType problem;
  private final String detail;

  FramingError(ProblemType problem, String detail) {
    this.problem = problem;
    this.detail = detail;
  }

  ProblemException exception() {
    return problem.withDetail(detail);
  }

  /** Returns the request that replaces one with this error in its head. */
  byte[] asRequest() {
    return ascii(METHOD + " / HTTP/1.1\r\nHost: -\r\nConnection: close\r\n" + field() + "\r\n");
  }

  /** Returns the end of a chunked body with this error, after the part that was passed on. */
  byte[] asEndOfBody(boolean insideChunk, boolean insideTrailers) {
    return ascii((insideChunk ? "\r\n" : "") + (insideTrailers ? "" : "0\r\n") + field() + "\r\n");
  }

  private String field() {
    return FIELD + ": " + name() + "\r\n";
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
