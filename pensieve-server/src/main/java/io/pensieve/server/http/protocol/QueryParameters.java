package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The query parameters of a request, parsed strictly: each is known, and but for one present once.
 * Unlike in a path, a plus is a space, as in HTML forms and their libraries.
 */
public final class QueryParameters {
  private final Map<String, String> parameters = new HashMap<>();
  private final String repeatable;
  private final List<String> repeated = new ArrayList<>();

  private QueryParameters(String repeatable) {
    this.repeatable = repeatable;
  }

  /**
   * Parses the parameters of a request.
   *
   * @param known the allowed names
   * @throws ProblemException for an unknown parameter, a duplicate, one without {@code =}, or one
   *     that is not UTF-8 after decoding
   */
  public static QueryParameters of(HttpServerExchange exchange, Set<String> known) {
    return of(exchange, known, "");
  }

  /**
   * As {@link #of(HttpServerExchange, Set)}, but one parameter may be there more than once.
   *
   * @param repeatable its name, which is allowed; {@link #repeated} has its values
   */
  public static QueryParameters of(
      HttpServerExchange exchange, Set<String> known, String repeatable) {
    QueryParameters query = new QueryParameters(repeatable);
    String raw = exchange.getQueryString();
    if (!raw.isEmpty()) {
      for (String parameter : raw.split("&", -1)) {
        query.add(parameter, known);
      }
    }
    return query;
  }

  /** Rejects all parameters. */
  public static void requireNone(HttpServerExchange exchange) {
    if (!exchange.getQueryString().isEmpty()) {
      throw invalid("no parameters are known here");
    }
  }

  /**
   * Returns the value of one parameter, decoded. It is found as {@link #of} finds it, however its
   * name is escaped; nothing else of the query is checked.
   *
   * @param rawQuery the query, not decoded; may be empty
   * @throws ProblemException if the value is not UTF-8 after decoding
   */
  public static Optional<String> find(String rawQuery, String name) {
    if (!rawQuery.contains(name) && rawQuery.indexOf('%') < 0) {
      return Optional.empty();
    }
    for (String raw : rawQuery.split("&", -1)) {
      if (isNamed(raw, name)) {
        return Optional.of(decode(raw.substring(raw.indexOf('=') + 1)));
      }
    }
    return Optional.empty();
  }

  /** Returns a query without a parameter, not decoded. */
  public static String without(String rawQuery, String name) {
    return Stream.of(rawQuery.split("&", -1))
        .filter(raw -> !isNamed(raw, name))
        .collect(Collectors.joining("&"));
  }

  private static boolean isNamed(String raw, String name) {
    int equals = raw.indexOf('=');
    if (equals < 0) {
      return false;
    }
    String rawName = raw.substring(0, equals);
    try {
      return rawName.equals(name) || (rawName.indexOf('%') >= 0 && decode(rawName).equals(name));
    } catch (ProblemException malformed) {
      return false; // whoever parses the whole query refuses it
    }
  }

  private void add(String raw, Set<String> known) {
    int equals = raw.indexOf('=');
    if (equals < 0) {
      throw invalid("each parameter has the form name=value");
    }
    String name = decode(raw.substring(0, equals));
    if (!repeatable.isEmpty() && name.equals(repeatable)) {
      repeated.add(decode(raw.substring(equals + 1)));
      return;
    }
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
    } catch (ProblemException malformed) {
      throw invalid("a parameter is not UTF-8 when its escapes are decoded");
    }
  }

  private static ProblemException invalid(String fault) {
    return ProblemType.INVALID_QUERY.withDetail(fault);
  }

  /** Returns the problem for an invalid value of a parameter. */
  public static ProblemException invalid(String name, String expected) {
    return invalid("the parameter \"" + name + "\" must be " + expected);
  }

  /** Returns the values of the repeatable parameter, in their order. */
  public List<String> repeated() {
    return repeated;
  }

  /** Returns a parameter as text. */
  public Optional<String> text(String name) {
    return Optional.ofNullable(parameters.get(name));
  }

  /** Returns a parameter as a duration above zero. */
  public Optional<Duration> duration(String name) {
    return text(name)
        .map(
            text ->
                DurationFormat.parse(text)
                    .filter(span -> !span.isZero())
                    .orElseThrow(() -> invalid(name, DurationFormat.EXPECTED)));
  }

  /** Returns a parameter as a whole number from min to max. */
  public Optional<Long> number(String name, long min, long max) {
    return text(name).map(text -> number(name, text, min, max));
  }

  /** Parses a whole number from min to max, in digits, without leading zeros. */
  public static long number(String name, String text, long min, long max) {
    try {
      long number = Long.parseLong(text);
      if (number >= min && number <= max && String.valueOf(number).equals(text)) {
        return number;
      }
    } catch (NumberFormatException refusedBelow) {
      // The problem is the same for a text that is not a number and for a number out of bounds.
    }
    throw invalid(name, "a whole number from " + min + " to " + max);
  }
}
