package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

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

  /** The text once; the JSON in a builder that doubles, as text, and as UTF-8. */
  static final long JSON_BYTES_PER_BYTE = 1 + 2 + 1 + 1;

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
   * Makes JSON of a value and returns it, with a claim of what that takes, which ends with the
   * making.
   *
   * @throws Refusal if there is no room; nothing is made then
   */
  <T> T makeJsonOf(StoredValue value, Supplier<T> making) {
    Claim claim = new Claim();
    if (value.size() > SMALL_BYTES_MAX) {
      claim.atLeast(JSON_BYTES_PER_BYTE * value.size());
    }
    try {
      return making.get();
    } finally {
      claim.release();
    }
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
        throw Problem.TOO_MANY_REQUESTS.because(
            "requests and answers that are under way have "
                + bytesMax
                + " bytes of memory, and this one would take more than there is left");
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
