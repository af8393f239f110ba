package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much of the heap all requests and answers together may hold that are under way. Whoever needs
 * more is refused, before a few of them use up what everybody needs.
 */
final class HeapRoom {
  /** A third of this process's heap: long arrays take up to twice their length there. */
  static final HeapRoom OF_PROCESS = new HeapRoom(Runtime.getRuntime().maxMemory() / 3);

  /** What is so small that it is not counted: there are never more of them than requests. */
  static final int SMALL_BYTES_MAX = 4 << 10;

  // The text once; the JSON in a builder that doubles, as text, and as UTF-8.
  private static final int JSON_BYTES_PER_BYTE = 1 + 2 + 1 + 1;

  private final AtomicLong bytesTaken = new AtomicLong();
  private final long bytesMax;

  HeapRoom(long bytesMax) {
    this.bytesMax = bytesMax;
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
          claim.close();
          next.proceed();
        });
    return claim;
  }

  /**
   * A claim of what it takes to make JSON of a value, as long as it is made.
   *
   * @throws Refusal if there is no room
   */
  Claim claimForJsonOf(StoredValue value) {
    Claim claim = new Claim();
    if (value.size() > SMALL_BYTES_MAX) {
      claim.atLeast((long) JSON_BYTES_PER_BYTE * value.size());
    }
    return claim;
  }

  /** What one request holds. For one thread at a time. */
  final class Claim implements AutoCloseable {
    private long bytes;

    /**
     * Makes it as large as this, unless it is already.
     *
     * @throws Refusal if there is no room; the claim is what it was then
     */
    void atLeast(long bytesNeeded) {
      long more = bytesNeeded - bytes;
      if (more <= 0) {
        return;
      }
      if (bytesTaken.addAndGet(more) > bytesMax) {
        bytesTaken.addAndGet(-more);
        throw Problem.TOO_MANY_REQUESTS.because(
            "requests and answers that are under way have "
                + bytesMax
                + " bytes of memory, and this one would take more than there is left");
      }
      bytes = bytesNeeded;
    }

    /** Gives it back. A second call does nothing. */
    @Override
    public void close() {
      bytesTaken.addAndGet(-bytes);
      bytes = 0;
    }
  }
}
