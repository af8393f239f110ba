package io.pensieve.server.client;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the token in a file: the only line, or in a server's file the one that may do most. */
public final class TokenText {
  private static final List<String> ROLES = List.of("admin", "write", "read");
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/-]+=*");
  private static final Pattern OF_ROLE = Pattern.compile("([a-z]+)\\s+(\\S+)");

  private TokenText() {}

  /** Returns the token, or empty if there is none. */
  public static Optional<String> find(String text) {
    List<String> lines =
        text.lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty() && !line.startsWith("#"))
            .toList();
    for (String role : ROLES) {
      for (String line : lines) {
        Matcher ofRole = OF_ROLE.matcher(line);
        if (ofRole.matches() && ofRole.group(1).equals(role)) {
          return Optional.of(ofRole.group(2));
        }
      }
    }
    return lines.size() == 1 && TOKEN.matcher(lines.get(0)).matches()
        ? Optional.of(lines.get(0))
        : Optional.empty();
  }
}
