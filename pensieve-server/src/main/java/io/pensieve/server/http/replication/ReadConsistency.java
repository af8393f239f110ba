package io.pensieve.server.http.replication;

import io.pensieve.server.http.protocol.QueryParameters;

/** What a read may return, by its parameter {@value #PARAMETER}. */
public enum ReadConsistency {
  /** The latest acknowledged write, of whichever node. */
  LINEARIZABLE,

  /** What the node has, which may be behind. The response says how far at most. */
  STALE;

  /** The parameter's name. Routes of {@code /v1} that read list it among those they know. */
  public static final String PARAMETER = "consistency";

  /**
   * Returns what a request asks for.
   *
   * @param rawQuery the query, not decoded; may be empty
   * @throws io.pensieve.server.http.json.ProblemException for an unknown value
   */
  static ReadConsistency of(String rawQuery) {
    String asked = QueryParameters.find(rawQuery, PARAMETER).orElse("linearizable");
    return switch (asked) {
      case "linearizable" -> LINEARIZABLE;
      case "stale" -> STALE;
      default -> throw QueryParameters.invalid(PARAMETER, "linearizable or stale");
    };
  }
}
