package io.pensieve.log.file;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which room of which ring a thread has claimed and not committed: one for each thread. */
final class RingClaim {
  // Whoever unwinds between claim and commit may have neither stack nor heap left. So all it does
  // is a store to `abandoned`, if it gets so far; the scribe, which comes upon the hole, looks here
  // whose it is, and gives it back. A claim that its thread left open without a word is known, too:
  // by the thread's next append, or by its death.
  //
  // The fields are plain: a writer stores them on its way, and the scribe reads them long after.

  static final long NO_RING = 0;
  private static final int SWEPT_MIN = 64;

  private static final List<RingClaim> ALL = new ArrayList<>(); // guarded by itself
  private static int sweptAt = SWEPT_MIN; // guarded by ALL

  long ring; // the number of the ring; NO_RING if nothing is claimed
  long position; // in it; negative until it is known
  int bytes;
  boolean abandoned; // it will never be committed
  private final WeakReference<Thread> owner = new WeakReference<>(Thread.currentThread());

  private RingClaim() {}

  /** Another claim of the calling thread. */
  static RingClaim ofThread() {
    RingClaim claim = new RingClaim();
    synchronized (ALL) {
      if (ALL.size() >= sweptAt) {
        ALL.removeIf(old -> (old.ring == NO_RING || old.position < 0) && old.isAbandoned());
        sweptAt = Math.max(SWEPT_MIN, 2 * ALL.size());
      }
      ALL.add(claim);
    }
    return claim;
  }

  boolean isOpen() {
    return ring != NO_RING;
  }

  boolean isAbandoned() {
    if (abandoned) {
      return true;
    }
    Thread thread = owner.get();
    return thread == null || !thread.isAlive();
  }

  /** Who has a hole. */
  enum HoleOwner {
    /** A thread that is about to fill it. */
    ALIVE,
    /** Nobody, any more. */
    ABANDONED,
    /** Not known. */
    UNKNOWN
  }

  /** Who has claimed this place of a ring. */
  static HoleOwner owner(long ring, long position) {
    RingClaim claim = find(ring, position);
    if (claim == null) {
      return HoleOwner.UNKNOWN;
    }
    return claim.isAbandoned() ? HoleOwner.ABANDONED : HoleOwner.ALIVE;
  }

  private static @Nullable RingClaim find(long ring, long position) {
    synchronized (ALL) {
      for (RingClaim claim : ALL) {
        if (claim.ring == ring && claim.position == position) {
          return claim;
        }
      }
      return null;
    }
  }

  /** How much was claimed at this place, by whoever has it. */
  static int bytes(long ring, long position) {
    RingClaim claim = find(ring, position);
    if (claim == null) {
      throw new IllegalStateException("nobody's: " + position);
    }
    return claim.bytes;
  }

  /** Of a place that was abandoned, and is committed now. */
  static void close(long ring, long position) {
    RingClaim claim = find(ring, position);
    if (claim != null) {
      claim.ring = NO_RING;
    }
  }
}
