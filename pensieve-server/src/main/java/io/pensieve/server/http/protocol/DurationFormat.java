package io.pensieve.server.http.protocol;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Durations in requests and settings: {@code 500ms}, {@code 30s}, {@code 5m}, {@code 2h}, {@code
 * 7d}.
 */
public final class DurationFormat {
  /** Describes the format in error messages. */
  public static final String EXPECTED = "a duration like 500ms, 30s, 5m, 2h or 7d";

  // Ten digits of days are 27 million years, and their milliseconds still fit into a long.
  private static final Pattern SPAN = Pattern.compile("(0|[1-9][0-9]{0,9})(ms|s|m|h|d)");

  private DurationFormat() {}

  /**
   * Parses a duration: no sign, no fraction, no space, one unit. Returns empty for any other text.
   */
  public static Optional<Duration> parse(String text) {
    Matcher span = SPAN.matcher(text);
    if (!span.matches()) {
      return Optional.empty();
    }
    long number = Long.parseLong(span.group(1));
    return Optional.of(
        switch (span.group(2)) {
          case "ms" -> Duration.ofMillis(number);
          case "s" -> Duration.ofSeconds(number);
          case "m" -> Duration.ofMinutes(number);
          case "h" -> Duration.ofHours(number);
          default -> Duration.ofDays(number);
        });
  }

  /** Formats a duration so that {@link #parse} accepts it, truncated to milliseconds. */
  public static String text(Duration duration) {
    return duration.toMillis() + "ms";
  }
}
