package io.pensieve.server.linearizability;

/**
 * What a key may hold.
 *
 * @param value empty if there is no entry
 * @param version 0 if there is no entry, {@link #UNKNOWN} if nobody has been told it
 * @param floor the largest version that the key is known to have had: no write gives one up to it
 * @param expiresFromNanos the entry may expire from here on
 * @param expiresUntilNanos the entry has expired when this has passed
 */
record KeyState(
    String value, long version, long floor, long expiresFromNanos, long expiresUntilNanos) {
  static final long UNKNOWN = -1;
  static final long NEVER = Operation.NEVER;
  static final KeyState INITIAL = absent(0);

  /** No entry. */
  static KeyState absent(long floor) {
    return new KeyState("", 0, floor, NEVER, NEVER);
  }

  boolean isPresent() {
    return version != 0;
  }

  KeyState removed() {
    return absent(floor);
  }

  /** The same entry, whose version has become known. */
  KeyState withVersion(long known) {
    return new KeyState(value, known, known, expiresFromNanos, expiresUntilNanos);
  }

  /** Another value, that keeps the expiry. */
  KeyState withValue(String next, long nextVersion) {
    long nextFloor = nextVersion == UNKNOWN ? floor : nextVersion;
    return new KeyState(next, nextVersion, nextFloor, expiresFromNanos, expiresUntilNanos);
  }

  @Override
  public String toString() {
    if (!isPresent()) {
      return "no entry";
    }
    String expiry =
        expiresFromNanos == NEVER ? "" : ", expires from " + expiresFromNanos / 1e9 + " s";
    return '"' + value + "\" version " + (version == UNKNOWN ? "unknown" : version) + expiry;
  }
}
