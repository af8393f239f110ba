package io.pensieve.log.file;

import java.io.IOException;

/** Room of the ring that was claimed and is not committed, when its turn to be written has come. */
final class HoleFiller {
  // A writer needs moments from claim to commit, but may be kept from its processor. So a hole is
  // waited for; one that was abandoned is filled with padding; one that stays ends the log, which
  // can write nothing behind it: better a log that says that it has failed than one that hangs.
  // Time counts only as long as the scribe itself gets to run: not while the process is stopped.

  /** So long before it is asked whose it is. */
  static final long PATIENCE_NANOS = 20_000_000;

  /** So long may a hole stay of which nobody is known to have it. */
  static final long NOBODYS_NANOS_MAX = 5_000_000_000L;

  /** So long may a hole stay that a thread is about to fill. */
  static final long NANOS_MAX = 60_000_000_000L;

  private static final long STEP_NANOS_MAX = 100_000_000;

  private final RingBuffer ring;
  private boolean isOne;
  private long position;
  private long lastNanos;
  private long age;

  HoleFiller(RingBuffer ring) {
    this.ring = ring;
  }

  boolean isOne() {
    return isOne;
  }

  /**
   * Fills the hole at this position, if there is one and it was abandoned, and answers whether it
   * did.
   *
   * @throws IOException if it has been there for too long
   */
  boolean fill(long at, long durable, long now) throws IOException {
    boolean wasOne = isOne && position == at;
    isOne = at < ring.end();
    if (!isOne || !wasOne) {
      position = at;
      lastNanos = now;
      age = 0;
      return false;
    }
    age += Math.min(now - lastNanos, STEP_NANOS_MAX);
    lastNanos = now;
    if (age < PATIENCE_NANOS) {
      return false;
    }
    RingClaim.HoleOwner owner = RingClaim.owner(ring.number(), at);
    if (ring.committedBytes(at) != 0) {
      return true; // meanwhile
    }
    if (owner == RingClaim.HoleOwner.ABANDONED) {
      ring.pad(at, RingClaim.bytes(ring.number(), at), durable);
      RingClaim.close(ring.number(), at);
      isOne = false;
      return true;
    }
    if (age > (owner == RingClaim.HoleOwner.ALIVE ? NANOS_MAX : NOBODYS_NANOS_MAX)) {
      throw new HoleException("a writer has left a hole in the ring at position " + at);
    }
    return false;
  }

  /** Nothing can be written behind a hole that stays. */
  static final class HoleException extends IOException {
    private static final long serialVersionUID = 1L;

    HoleException(String message) {
      super(message);
    }
  }
}
