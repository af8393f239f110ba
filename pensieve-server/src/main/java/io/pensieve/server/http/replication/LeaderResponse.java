package io.pensieve.server.http.replication;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.pensieve.server.http.protocol.MemoryBudget;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The response of a leader, as it arrives. A leader is a server of this kind, and gives every
 * response to a forwarded request a {@code Content-Length}. Anything else is an error.
 */
final class LeaderResponse {
  static final int HEAD_BYTES_MAX = 32 << 10;

  private static final int HEAD_BYTES_MIN = 512;
  private static final String PROTOCOL = "HTTP/1.1 ";
  private static final String LINE_END = "\r\n";
  private static final int STATUS_DIGITS = 3;
  private static final byte[] NO_BODY = {};

  private final boolean isToHead;
  private final MemoryBudget.Reservation reservation;
  private byte[] head = new byte[HEAD_BYTES_MIN];
  private int headBytes;
  private int status; // 0 until the head is complete
  private final HeaderMap headers = new HeaderMap();
  private byte[] body = NO_BODY;
  private int bodyBytes;

  /**
   * Creates a response of which nothing has arrived.
   *
   * @param isToHead whether the request is a HEAD, whose response has no body
   * @param reservation grows with the body
   */
  LeaderResponse(boolean isToHead, MemoryBudget.Reservation reservation) {
    this.isToHead = isToHead;
    this.reservation = reservation;
  }

  /**
   * Takes bytes that arrived, up to the end of the response.
   *
   * @return whether the response is complete
   * @throws IOException if this is no such response
   * @throws io.pensieve.server.http.json.ProblemException if the memory budget cannot hold its body
   */
  boolean take(ByteBuffer arrived) throws IOException {
    if (status == 0 && !takeHead(arrived)) {
      return false;
    }
    int count = Math.min(arrived.remaining(), body.length - bodyBytes);
    arrived.get(body, bodyBytes, count);
    bodyBytes += count;
    return bodyBytes == body.length;
  }

  /** Takes bytes up to the empty line that ends the head. Returns whether it was there. */
  private boolean takeHead(ByteBuffer arrived) throws IOException {
    while (arrived.hasRemaining()) {
      if (headBytes == head.length) {
        if (headBytes >= HEAD_BYTES_MAX) {
          throw new IOException("the head has more than " + HEAD_BYTES_MAX + " bytes");
        }
        head = Arrays.copyOf(head, 2 * headBytes);
      }
      byte next = arrived.get();
      head[headBytes++] = next;
      if (next == '\n' && endsInEmptyLine()) {
        parseHead(new String(head, 0, headBytes - LINE_END.length(), ISO_8859_1));
        head = NO_BODY;
        return true;
      }
    }
    return false;
  }

  private boolean endsInEmptyLine() {
    return headBytes > 3
        && head[headBytes - 2] == '\r'
        && head[headBytes - 3] == '\n'
        && head[headBytes - 4] == '\r';
  }

  // Each line of the text has its end. Without a regular expression: each forwarded request passes.
  private void parseHead(String text) throws IOException {
    int at = text.indexOf(LINE_END);
    int code = statusOf(text.substring(0, at));
    for (int from = at + LINE_END.length(); from < text.length(); from = at + LINE_END.length()) {
      at = text.indexOf(LINE_END, from);
      int colon = text.indexOf(':', from);
      if (colon <= from || colon > at) {
        throw new IOException("a header line has no name");
      }
      String label = text.substring(from, colon);
      HttpString name = HttpString.tryFromString(label);
      headers.add(
          name == null ? new HttpString(label) : name, text.substring(colon + 1, at).strip());
    }
    if (!isToHead && code != StatusCodes.NO_CONTENT && code != StatusCodes.NOT_MODIFIED) {
      int length = contentLength();
      if (length > MemoryBudget.SMALL_BYTES_MAX) {
        reservation.growTo(length);
      }
      body = new byte[length];
    }
    status = code;
  }

  private static int statusOf(String line) throws IOException {
    int end = PROTOCOL.length() + STATUS_DIGITS;
    if (line.startsWith(PROTOCOL) && line.length() >= end) {
      try {
        int code = Integer.parseInt(line.substring(PROTOCOL.length(), end));
        if (code >= StatusCodes.OK) {
          return code;
        }
      } catch (NumberFormatException refusedBelow) {
        // The message is the same for every first line of another form.
      }
    }
    throw new IOException("the response does not begin with a final status of HTTP/1.1");
  }

  private int contentLength() throws IOException {
    String length = headers.getFirst(Headers.CONTENT_LENGTH);
    try {
      int bytes = length == null ? -1 : Integer.parseInt(length);
      if (bytes >= 0 && !headers.contains(Headers.TRANSFER_ENCODING)) {
        return bytes;
      }
    } catch (NumberFormatException refusedBelow) {
      // As above.
    }
    throw new IOException("the response has no length");
  }

  int status() {
    return status;
  }

  HeaderMap headers() {
    return headers;
  }

  byte[] body() {
    return body;
  }

  /** Returns whether the connection takes another request after this response. */
  boolean isPersistent() {
    String connection = headers.getFirst(Headers.CONNECTION);
    return connection == null || !connection.equalsIgnoreCase(Headers.CLOSE.toString());
  }
}
