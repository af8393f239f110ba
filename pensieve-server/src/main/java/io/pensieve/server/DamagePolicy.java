package io.pensieve.server;

/** What a start does about a damaged log. */
enum DamagePolicy {
  /** It fails, and changes nothing. */
  REFUSE,
  /** It sets the damaged log aside, and continues with the readable part. */
  SALVAGE,
  /** It sets the damaged log aside, and continues without entries. */
  EMPTY
}
