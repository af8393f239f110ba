package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The ring space that a thread has claimed and not committed. One for each thread. */
final class RingClaim {
  // A thread that unwinds between claim and commit may have neither stack nor heap left. So all it
  // does is a store to `abandoned`, if it gets that far. When the log writer comes to the hole, it
  // looks up the owner here and pads the hole. Two other events show that a thread left a claim
  // open without this store: the thread's next append, and its death.
  //
  // The fields are plain: a writer stores them on its way, and the log writer reads them long
  // after.

  static final long NO_RING = 0;
  private static final int SWEPT_MIN = 64;

  @GuardedBy("ALL")
  private static final List<RingClaim> ALL = new ArrayList<>();

  @GuardedBy("ALL")
  private static int sweptAt = SWEPT_MIN;

  long ring; // the ring's number; NO_RING if nothing is claimed
  long position; // in that ring; negative until it is known
  int bytes;
  boolean abandoned; // the claim will never be committed
  private final WeakReference<Thread> owner = new WeakReference<>(Thread.currentThread());

  private RingClaim() {}

  /** Creates and registers a claim for the calling thread. */
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

  /** The state of a hole's owner. */
  enum HoleOwner {
    /** A living thread will fill the hole. */
    ALIVE,
    /** The owner has abandoned the hole, or has died. */
    ABANDONED,
    /** No thread is registered for the hole. */
    UNKNOWN
  }

  /** The state of the thread that claimed this position of a ring. */
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

  /** The number of bytes claimed at this position, whoever claimed them. */
  static int bytes(long ring, long position) {
    RingClaim claim = find(ring, position);
    if (claim == null) {
      throw new IllegalStateException("nobody's: " + position);
    }
    return claim.bytes;
  }

  /** Closes an abandoned claim whose space is committed now. */
  static void close(long ring, long position) {
    RingClaim claim = find(ring, position);
    if (claim != null) {
      claim.ring = NO_RING;
    }
  }
}
