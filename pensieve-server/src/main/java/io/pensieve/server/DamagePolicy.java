package io.pensieve.server;

/** What a start does about a log that is damaged. */
enum DamagePolicy {
  /** It ends, and changes nothing. */
  REFUSE,
  /** It sets the damaged log aside and goes on with what can be read of it. */
  SALVAGE,
  /** It sets the damaged log aside and goes on with nothing. */
  EMPTY
}
