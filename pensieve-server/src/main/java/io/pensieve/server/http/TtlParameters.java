package io.pensieve.server.http;

import io.pensieve.TimeToLive;
import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.protocol.DurationFormat;
import io.pensieve.server.http.protocol.QueryParameters;
import java.util.Optional;

/** The parameters of a request, or of an operation, that say how long the written entry lives. */
final class TtlParameters {
  /** A duration, {@code never} or {@code keep}. */
  static final String TTL = "ttl";

  /** With {@code ttl=keep}, the life of an entry that the write creates. */
  static final String INITIAL_TTL = "initial_ttl";

  private static final String KEEP = "keep";
  private static final String NEVER = "never";

  private TtlParameters() {}

  /** Creates the problem for a field that must be what is expected. */
  interface Refusal {
    ProblemException invalid(String name, String expected);
  }

  /** Parses both parameters. Returns empty if there is neither. */
  static Optional<TimeToLive> of(QueryParameters query) {
    return of(query.text(TTL), query.text(INITIAL_TTL), QueryParameters::invalid);
  }

  /** As {@link #of(QueryParameters)}, of fields that were read elsewhere. */
  static Optional<TimeToLive> of(Optional<String> ttl, Optional<String> initial, Refusal refusal) {
    boolean keeps = ttl.filter(KEEP::equals).isPresent();
    Optional<TimeToLive> ofNew =
        initial.map(
            text ->
                duration(text)
                    .orElseThrow(() -> refusal.invalid(INITIAL_TTL, DurationFormat.EXPECTED)));
    if (initial.isPresent() && !keeps) {
      throw refusal.invalid(INITIAL_TTL, "together with " + TTL + "=" + KEEP);
    }
    if (keeps) {
      return Optional.of(ofNew.map(TimeToLive::forNewEntries).orElseGet(TimeToLive::unchanged));
    }
    return ttl.map(text -> timeToLive(TTL, text, ", or never, or keep", refusal));
  }

  /** Parses a parameter that is a duration or {@code never}. */
  static TimeToLive required(QueryParameters query, String name) {
    return required(name, query.text(name), QueryParameters::invalid);
  }

  /** As {@link #required(QueryParameters, String)}, of a field that was read elsewhere. */
  static TimeToLive required(String name, Optional<String> text, Refusal refusal) {
    return timeToLive(name, text.orElse(""), ", or never", refusal);
  }

  private static TimeToLive timeToLive(String name, String text, String orElse, Refusal refusal) {
    if (text.equals(NEVER)) {
      return TimeToLive.unlimited();
    }
    return duration(text)
        .orElseThrow(() -> refusal.invalid(name, DurationFormat.EXPECTED + orElse));
  }

  private static Optional<TimeToLive> duration(String text) {
    return DurationFormat.parse(text).filter(span -> !span.isZero()).map(TimeToLive::of);
  }
}
