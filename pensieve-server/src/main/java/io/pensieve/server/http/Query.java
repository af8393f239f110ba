package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The parameters of a request, read strictly: each known, and there once. Unlike in a path, a plus
 * is a space, as HTML forms and the libraries made for them write it.
 */
final class Query {
  private final Map<String, String> parameters = new HashMap<>();

  private Query() {}

  /**
   * Reads the parameters of a request.
   *
   * @param known the names it may have
   * @throws Refusal for any other parameter, for one that is there twice, has no {@code =}, or is
   *     not UTF-8 when it is decoded
   */
  static Query of(HttpServerExchange exchange, Set<String> known) {
    Query query = new Query();
    String raw = exchange.getQueryString();
    if (!raw.isEmpty()) {
      for (String parameter : raw.split("&", -1)) {
        query.add(parameter, known);
      }
    }
    return query;
  }

  /** Refuses parameters of any name. */
  static void requireNone(HttpServerExchange exchange) {
    if (!exchange.getQueryString().isEmpty()) {
      throw invalid("no parameters are known here");
    }
  }

  private void add(String raw, Set<String> known) {
    int equals = raw.indexOf('=');
    if (equals < 0) {
      throw invalid("each parameter has the form name=value");
    }
    String name = decode(raw.substring(0, equals));
    if (!known.contains(name)) {
      throw invalid("a parameter is not known here; known are " + String.join(", ", sorted(known)));
    }
    if (parameters.put(name, decode(raw.substring(equals + 1))) != null) {
      throw invalid("the parameter \"" + name + "\" is there more than once");
    }
  }

  private static Iterable<String> sorted(Set<String> names) {
    return names.stream().sorted().toList();
  }

  private static String decode(String raw) {
    try {
      return RawPath.decode(raw.replace("+", "%20"));
    } catch (Refusal malformed) {
      throw invalid("a parameter is not UTF-8 when its escapes are decoded");
    }
  }

  private static Refusal invalid(String fault) {
    return Problem.INVALID_QUERY.because(fault);
  }

  /** What is wrong with the value of a parameter. */
  static Refusal invalid(String name, String expected) {
    return invalid("the parameter \"" + name + "\" must be " + expected);
  }

  /** A parameter as text. */
  Optional<String> text(String name) {
    return Optional.ofNullable(parameters.get(name));
  }

  /** A parameter as a duration above zero. */
  Optional<Duration> duration(String name) {
    return text(name)
        .map(
            text ->
                TimeSpan.parse(text)
                    .filter(span -> !span.isZero())
                    .orElseThrow(() -> invalid(name, TimeSpan.EXPECTED)));
  }

  /** A parameter as a whole number from min to max. */
  Optional<Long> number(String name, long min, long max) {
    return text(name).map(text -> number(name, text, min, max));
  }

  /** A whole number from min to max, written in digits, without leading zeros. */
  static long number(String name, String text, long min, long max) {
    try {
      long number = Long.parseLong(text);
      if (number >= min && number <= max && String.valueOf(number).equals(text)) {
        return number;
      }
    } catch (NumberFormatException refusedBelow) {
      // Not a number and not within the bounds are one fault to whoever reads the answer.
    }
    throw invalid(name, "a whole number from " + min + " to " + max);
  }
}
