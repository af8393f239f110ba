package io.pensieve.server.http;

import io.pensieve.TimeToLive;
import io.pensieve.server.http.protocol.DurationFormat;
import io.pensieve.server.http.protocol.QueryParameters;
import java.time.Duration;
import java.util.Optional;

/** The parameters of a request that say how long the written entry lives. */
final class TtlParameters {
  /** A duration, {@code never} or {@code keep}. */
  static final String TTL = "ttl";

  /** With {@code ttl=keep}, the life of an entry that the write creates. */
  static final String INITIAL_TTL = "initial_ttl";

  private static final String KEEP = "keep";
  private static final String NEVER = "never";

  private TtlParameters() {}

  /** Parses both parameters. Returns empty if there is neither. */
  static Optional<TimeToLive> of(QueryParameters query) {
    Optional<String> ttl = query.text(TTL);
    Optional<Duration> initial = query.duration(INITIAL_TTL);
    boolean keeps = ttl.filter(KEEP::equals).isPresent();
    if (initial.isPresent() && !keeps) {
      throw QueryParameters.invalid(INITIAL_TTL, "together with " + TTL + "=" + KEEP);
    }
    if (keeps) {
      return Optional.of(
          initial
              .map(span -> TimeToLive.of(span).forNewEntries())
              .orElseGet(TimeToLive::unchanged));
    }
    return ttl.map(text -> timeToLive(TTL, text, ", or never, or keep"));
  }

  /** Parses a parameter that is a duration or {@code never}. */
  static TimeToLive required(QueryParameters query, String name) {
    return timeToLive(name, query.text(name).orElse(""), ", or never");
  }

  private static TimeToLive timeToLive(String name, String text, String orElse) {
    if (text.equals(NEVER)) {
      return TimeToLive.unlimited();
    }
    return DurationFormat.parse(text)
        .filter(span -> !span.isZero())
        .map(TimeToLive::of)
        .orElseThrow(() -> QueryParameters.invalid(name, DurationFormat.EXPECTED + orElse));
  }
}
