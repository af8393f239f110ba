package io.pensieve.log.file;

import java.io.IOException;

/** Handles holes: claimed, uncommitted ring space that is next to be written. */
final class HoleFiller {
  // A writer takes moments from claim to commit, and longer if the scheduler stops it. So the log
  // writer waits for a hole. It pads an abandoned one. If a hole stays, the log fails, since
  // nothing can be written behind it. A failed log that says so is better than one that hangs. Time
  // counts only while the log writer itself runs, not while the process is stopped.

  /** The age at which the log writer looks up a hole's owner. */
  static final long PATIENCE_NANOS = 20_000_000;

  /** The maximum age of a hole with an unknown owner. */
  static final long NOBODYS_NANOS_MAX = 5_000_000_000L;

  /** The maximum age of a hole with a living owner. */
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
   * Pads the hole at this position, if there is one and its owner abandoned it. Answers whether the
   * ring has a frame there now that was missing before.
   *
   * @throws IOException if the hole has been there for too long
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
      return true; // the owner committed meanwhile
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

  /** A hole stays, so that nothing can be written behind it. */
  static final class HoleException extends IOException {
    private static final long serialVersionUID = 1L;

    HoleException(String message) {
      super(message);
    }
  }
}
