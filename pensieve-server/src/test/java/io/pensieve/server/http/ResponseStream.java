package io.pensieve.server.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * All that a server sent on one connection, taken apart as HTTP/1.1 has it: status lines, headers,
 * and bodies of the lengths that were told, from the first byte to the last.
 */
final class ResponseStream {
  // Whoever does not know whether an answer is one for HEAD, which tells a length and has no body,
  // has to try both. No body in the tests begins as an answer does, so what does is the next one.

  private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.[01] ([1-5]\\d\\d) [ -~]*");
  private static final Pattern HEADER =
      Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \\t]*([ -~]*)");

  private final String sent;
  private final boolean mayBeForHead;

  /** One answer; header names are in lower case. */
  record Response(int status, Map<String, String> headers, String body) {
    String header(String name) {
      return headers.getOrDefault(name, "");
    }

    /** Whether it says that there is more to come to the same request. */
    boolean isInterim() {
      return status < 200;
    }

    boolean neverHasBody() {
      return isInterim() || status == 204 || status == 304;
    }
  }

  private ResponseStream(byte[] sent, boolean mayBeForHead) {
    this.sent = new String(sent, StandardCharsets.ISO_8859_1);
    this.mayBeForHead = mayBeForHead;
  }

  /** The answers, or nothing if these bytes are no sequence of answers. */
  static Optional<List<Response>> parse(byte[] sent, boolean mayBeForHead) {
    return new ResponseStream(sent, mayBeForHead).parse(0);
  }

  private Optional<List<Response>> parse(int from) {
    if (from == sent.length()) {
      return Optional.of(new ArrayList<>());
    }
    int headEnd = sent.indexOf("\r\n\r\n", from);
    if (headEnd < 0) {
      return Optional.empty();
    }
    Optional<Response> head = head(sent.substring(from, headEnd).split("\r\n", -1));
    return head.flatMap(response -> withBody(response, headEnd + 4));
  }

  private Optional<List<Response>> withBody(Response head, int bodyFrom) {
    String told = head.header("content-length");
    if (head.neverHasBody()) {
      return told.isEmpty() || told.equals("0") || head.status() == 304
          ? followed(head, bodyFrom, bodyFrom)
          : Optional.empty();
    }
    if (!told.matches("\\d{1,9}")) {
      return Optional.empty();
    }
    boolean hasNone =
        mayBeForHead && (bodyFrom == sent.length() || sent.startsWith("HTTP/1.", bodyFrom));
    int bodyEnd = hasNone ? bodyFrom : bodyFrom + Integer.parseInt(told);
    return bodyEnd <= sent.length() ? followed(head, bodyFrom, bodyEnd) : Optional.empty();
  }

  private Optional<List<Response>> followed(Response head, int bodyFrom, int bodyEnd) {
    byte[] body = sent.substring(bodyFrom, bodyEnd).getBytes(StandardCharsets.ISO_8859_1);
    Response response =
        new Response(head.status(), head.headers(), new String(body, StandardCharsets.UTF_8));
    Optional<List<Response>> rest = parse(bodyEnd);
    rest.ifPresent(answers -> answers.add(0, response));
    return rest;
  }

  private static Optional<Response> head(String[] lines) {
    Matcher status = STATUS_LINE.matcher(lines[0]);
    if (!status.matches()) {
      return Optional.empty();
    }
    Map<String, String> headers = new HashMap<>();
    for (int i = 1; i < lines.length; i++) {
      Matcher header = HEADER.matcher(lines[i]);
      if (!header.matches()
          || headers.put(header.group(1).toLowerCase(Locale.ROOT), header.group(2)) != null) {
        return Optional.empty();
      }
    }
    return Optional.of(new Response(Integer.parseInt(status.group(1)), headers, ""));
  }
}
