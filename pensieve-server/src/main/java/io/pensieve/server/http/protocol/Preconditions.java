package io.pensieve.server.http.protocol;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import java.util.Optional;
import java.util.function.LongPredicate;

/**
 * The conditions of a request on the version of an entry (RFC 9110, 13.2.2): {@code If-Match}
 * first, then {@code If-None-Match}. If both are present, both must hold. Entries have no dates, so
 * conditions on dates are ignored, as that section requires.
 */
public record Preconditions(Optional<EntityTags> ifMatch, Optional<EntityTags> ifNoneMatch) {

  public static Preconditions of(HeaderMap headers) {
    return new Preconditions(
        headers.contains(Headers.IF_MATCH)
            ? Optional.of(EntityTags.of(headers, Headers.IF_MATCH, false))
            : Optional.empty(),
        headers.contains(Headers.IF_NONE_MATCH)
            ? Optional.of(EntityTags.of(headers, Headers.IF_NONE_MATCH, true))
            : Optional.empty());
  }

  /** Returns whether there are no conditions. */
  public boolean isEmpty() {
    return ifMatch.isEmpty() && ifNoneMatch.isEmpty();
  }

  /** Returns whether {@code If-Match} holds for a version; 0 means no entry. */
  public boolean ifMatchHolds(long version) {
    return ifMatch.map(tags -> tags.matches(version)).orElse(true);
  }

  /** Returns whether {@code If-None-Match} names this version: the client has it already. */
  public boolean ifNoneMatchNames(long version) {
    return ifNoneMatch.map(tags -> tags.matches(version)).orElse(false);
  }

  /** Returns whether an entry of a version may be written or removed; 0 means no entry. */
  public LongPredicate forWrite() {
    return version -> ifMatchHolds(version) && !ifNoneMatchNames(version);
  }
}
