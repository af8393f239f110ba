package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * How much of the heap all requests and answers together may hold that are under way. Whoever needs
 * more is refused, before a few of them use up what everybody needs.
 */
final class HeapRoom {
  /** For bodies, and for the values that answers hold. */
  static final HeapRoom OF_PROCESS = new HeapRoom(HeapShares.ofProcess().requestBytes());

  /** Beside it, for what waits for those who watch. */
  static final HeapRoom OF_WATCHERS = new HeapRoom(HeapShares.ofProcess().eventBytes());

  /** What is so small that it is not counted: there are never more of them than requests. */
  static final int SMALL_BYTES_MAX = 4 << 10;

  private final Map<Held, Integer> holders = new ConcurrentHashMap<>();
  private final AtomicLong bytesTaken = new AtomicLong();
  private final long bytesMax;

  HeapRoom(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * Takes so much, to be given back, for someone who holds some already; whether there was room.
   * There always is for one who is alone.
   */
  boolean tryTake(long more, long held) {
    long taken = bytesTaken.addAndGet(more);
    boolean isAlone = taken == held + more;
    if (taken > bytesMax && !isAlone) {
      bytesTaken.addAndGet(-more);
      return false;
    }
    return true;
  }

  void giveBack(long bytes) {
    bytesTaken.addAndGet(-bytes);
  }

  /** How much is taken now, in bytes. */
  long bytesTaken() {
    return bytesTaken.get();
  }

  /** A claim of one exchange, at first of nothing, given back when the exchange is complete. */
  Claim claimFor(HttpServerExchange exchange) {
    Claim claim = new Claim();
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          claim.release();
          next.proceed();
        });
    return claim;
  }

  /**
   * Takes room for a value until an answer is complete that holds on to it: it may be overwritten
   * meanwhile, and then nothing else counts it. However many answers hold it, it counts once.
   *
   * @throws Refusal if there is no room
   */
  void hold(HttpServerExchange exchange, StoredValue value) {
    if (value.size() <= SMALL_BYTES_MAX) {
      return;
    }
    Held held = new Held(value);
    holders.compute(held, this::oneMore);
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          holders.computeIfPresent(held, this::oneLess);
          next.proceed();
        });
  }

  private int oneMore(Held held, @Nullable Integer count) {
    if (count == null && !tryTake(held.value.size(), 0)) {
      throw noRoom();
    }
    return count == null ? 1 : count + 1;
  }

  private @Nullable Integer oneLess(Held held, Integer count) {
    if (count == 1) {
      giveBack(held.value.size());
      return null;
    }
    return count - 1;
  }

  /** A value that is itself and no other, though others may be equal. */
  private record Held(StoredValue value) {
    @Override
    @SuppressWarnings("ReferenceEquality") // the room is that of the object
    public boolean equals(@Nullable Object other) {
      return other instanceof Held held && held.value == value;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(value);
    }
  }

  private Refusal noRoom() {
    return Problem.TOO_MANY_REQUESTS.because(
        "requests and answers that are under way have "
            + bytesMax
            + " bytes of memory, and this one would take more than there is left");
  }

  /** What one request holds. For one thread at a time. */
  final class Claim {
    private long bytes;

    /**
     * Makes it as large as this, unless it is already. One that is alone has all the room it needs:
     * else the longest of values could never be put on a small heap.
     *
     * @throws Refusal if there is no room; the claim is what it was then
     */
    void atLeast(long bytesNeeded) {
      long more = bytesNeeded - bytes;
      if (more <= 0) {
        return;
      }
      if (!tryTake(more, bytes)) {
        throw noRoom();
      }
      bytes = bytesNeeded;
    }

    /** Gives it back. A second call does nothing. */
    void release() {
      giveBack(bytes);
      bytes = 0;
    }
  }
}
