package io.pensieve.server.http.protocol;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import java.util.Optional;
import java.util.function.LongPredicate;

/**
 * What a request requires of the version of an entry, as RFC 9110, 13.2.2 has it: {@code If-Match}
 * first, then {@code If-None-Match}; if both are there, both must hold. There are no dates here, so
 * conditions about dates are ignored, as that section asks for.
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

  /** Whether any version will do, and none as well. */
  public boolean isEmpty() {
    return ifMatch.isEmpty() && ifNoneMatch.isEmpty();
  }

  /** Whether {@code If-Match} holds for a version, 0 if there is no entry. */
  public boolean ifMatchHolds(long version) {
    return ifMatch.map(tags -> tags.matches(version)).orElse(true);
  }

  /** Whether {@code If-None-Match} says that the client has this version already. */
  public boolean ifNoneMatchNames(long version) {
    return ifNoneMatch.map(tags -> tags.matches(version)).orElse(false);
  }

  /** Whether the client has this representation of this version already. */
  public boolean ifNoneMatchNames(long version, boolean asJson) {
    return ifNoneMatch.map(tags -> tags.matches(version, asJson)).orElse(false);
  }

  /** Whether an entry of a version may be written or removed; 0 if there is no entry. */
  public LongPredicate forWrite() {
    return version -> ifMatchHolds(version) && !ifNoneMatchNames(version);
  }
}
