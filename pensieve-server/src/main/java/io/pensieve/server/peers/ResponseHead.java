package io.pensieve.server.peers;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The parts of an HTTP/1 response head that a heartbeat needs.
 *
 * @param status the status code
 * @param bodyBytes the length of the body, if the response states it and the connection stays open;
 *     otherwise the response ends the connection, and its body does not matter
 * @param nodeId the id of the node that responded, if the response contains it
 */
record ResponseHead(int status, OptionalLong bodyBytes, OptionalLong nodeId) {
  private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.([01]) (\\d{3})( .*)?");

  boolean isSuccess() {
    return status / 100 == 2;
  }

  /**
   * Parses the lines before the empty one.
   *
   * @throws IOException if the first line is not a status line
   */
  static ResponseHead of(List<String> lines) throws IOException {
    Matcher matcher = STATUS_LINE.matcher(lines.isEmpty() ? "" : lines.get(0));
    if (!matcher.matches()) {
      throw new IOException("no HTTP/1 answer");
    }
    boolean staysOpen = "1".equals(matcher.group(1));
    OptionalLong bodyBytes = OptionalLong.empty();
    OptionalLong nodeId = OptionalLong.empty();
    for (String line : lines.subList(1, lines.size())) {
      String name = line.substring(0, Math.max(0, line.indexOf(':'))).toLowerCase(Locale.ROOT);
      String value = line.substring(line.indexOf(':') + 1).strip();
      switch (name) {
        case "content-length" -> bodyBytes = number(value);
        case "transfer-encoding" -> staysOpen = false;
        case "connection" -> staysOpen &= !value.equalsIgnoreCase("close");
        case "pensieve-node-id" -> nodeId = number(value);
        default -> {} // not relevant for a heartbeat
      }
    }
    int status = Integer.parseInt(matcher.group(2));
    return new ResponseHead(status, staysOpen ? bodyBytes : OptionalLong.empty(), nodeId);
  }

  private static OptionalLong number(String value) {
    try {
      long number = Long.parseLong(value);
      return number < 0 ? OptionalLong.empty() : OptionalLong.of(number);
    } catch (NumberFormatException notSaid) {
      return OptionalLong.empty();
    }
  }
}
