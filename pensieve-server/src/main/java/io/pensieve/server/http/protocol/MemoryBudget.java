package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.value.HeapShares;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * How much of the heap all requests and answers together may hold that are under way. Whoever needs
 * more is refused, before a few of them use up what everybody needs.
 */
public final class MemoryBudget {
  /** For bodies, and for the values that answers hold. */
  public static final MemoryBudget OF_PROCESS =
      new MemoryBudget(HeapShares.ofProcess().requestBytes());

  /** Beside it, for what waits for those who watch. */
  public static final MemoryBudget OF_WATCHERS =
      new MemoryBudget(HeapShares.ofProcess().eventBytes());

  /** What is so small that it is not counted: there are never more of them than requests. */
  public static final int SMALL_BYTES_MAX = 4 << 10;

  private final Map<IdentityKey, Integer> holders = new ConcurrentHashMap<>();
  private final AtomicLong bytesReserved = new AtomicLong();
  private final long bytesMax;

  public MemoryBudget(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * Takes so much, to be given back, for someone who holds some already; whether there was room.
   * There always is for one who is alone.
   */
  public boolean tryReserve(long more, long held) {
    long taken = bytesReserved.addAndGet(more);
    boolean isAlone = taken == held + more;
    if (taken > bytesMax && !isAlone) {
      bytesReserved.addAndGet(-more);
      return false;
    }
    return true;
  }

  public void releaseBytes(long bytes) {
    bytesReserved.addAndGet(-bytes);
  }

  /** How much is taken now, in bytes. */
  public long bytesReserved() {
    return bytesReserved.get();
  }

  /** A claim of one exchange, at first of nothing, given back when the exchange is complete. */
  public Reservation reservationFor(HttpServerExchange exchange) {
    Reservation reservation = new Reservation();
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          reservation.release();
          next.proceed();
        });
    return reservation;
  }

  /**
   * Takes room for a value until an answer is complete that holds on to it: it may be overwritten
   * meanwhile, and then nothing else counts it. However many answers hold it, it counts once.
   *
   * @throws ProblemException if there is no room
   */
  void retain(HttpServerExchange exchange, StoredValue value) {
    if (value.size() <= SMALL_BYTES_MAX) {
      return;
    }
    IdentityKey identityKey = new IdentityKey(value);
    holders.compute(identityKey, this::oneMore);
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          holders.computeIfPresent(identityKey, this::oneLess);
          next.proceed();
        });
  }

  private int oneMore(IdentityKey identityKey, @Nullable Integer count) {
    if (count == null && !tryReserve(identityKey.value.size(), 0)) {
      throw exhausted();
    }
    return count == null ? 1 : count + 1;
  }

  private @Nullable Integer oneLess(IdentityKey identityKey, Integer count) {
    if (count == 1) {
      releaseBytes(identityKey.value.size());
      return null;
    }
    return count - 1;
  }

  /** A value that is itself and no other, though others may be equal. */
  private record IdentityKey(StoredValue value) {
    @Override
    @SuppressWarnings("ReferenceEquality") // the room is that of the object
    public boolean equals(@Nullable Object other) {
      return other instanceof IdentityKey identityKey && identityKey.value == value;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(value);
    }
  }

  private ProblemException exhausted() {
    return ProblemType.TOO_MANY_REQUESTS.withDetail(
        "requests and answers that are under way have "
            + bytesMax
            + " bytes of memory, and this one would take more than there is left");
  }

  /** What one request holds. For one thread at a time. */
  public final class Reservation {
    private long bytes;

    /**
     * Makes it as large as this, unless it is already. One that is alone has all the room it needs:
     * else the longest of values could never be put on a small heap.
     *
     * @throws ProblemException if there is no room; the claim is what it was then
     */
    public void growTo(long bytesNeeded) {
      long more = bytesNeeded - bytes;
      if (more <= 0) {
        return;
      }
      if (!tryReserve(more, bytes)) {
        throw exhausted();
      }
      bytes = bytesNeeded;
    }

    /** Gives it back. A second call does nothing. */
    void release() {
      releaseBytes(bytes);
      bytes = 0;
    }
  }
}
