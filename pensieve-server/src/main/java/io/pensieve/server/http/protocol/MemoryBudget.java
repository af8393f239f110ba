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
 * Limits the heap bytes that all requests and responses in flight may hold together. A request that
 * needs more is rejected, before a few requests use up the memory of all.
 */
public final class MemoryBudget {
  /** For bodies, and for the values that responses retain. */
  public static final MemoryBudget OF_PROCESS =
      new MemoryBudget(HeapShares.ofProcess().requestBytes());

  /** A separate budget, for the events that wait for watchers. */
  public static final MemoryBudget OF_WATCHERS =
      new MemoryBudget(HeapShares.ofProcess().eventBytes());

  /** Objects up to this size are not counted: there are never more of them than requests. */
  public static final int SMALL_BYTES_MAX = 4 << 10;

  private final Map<IdentityKey, Integer> holders = new ConcurrentHashMap<>();
  private final AtomicLong bytesReserved = new AtomicLong();
  private final long bytesMax;

  public MemoryBudget(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * Reserves bytes, which the caller must release. A caller that holds all reserved bytes always
   * succeeds.
   *
   * @param more how many bytes to reserve
   * @param held how many bytes the caller holds already
   * @return whether the bytes are reserved
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

  /** Returns how many bytes are reserved. */
  public long bytesReserved() {
    return bytesReserved.get();
  }

  /** Returns an empty reservation of one exchange. It is released when the exchange completes. */
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
   * Reserves memory for a value until this exchange completes. A write may replace the value
   * meanwhile, and then nothing else counts it. The value counts once, for any number of responses.
   *
   * @throws ProblemException if the budget cannot hold the value
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

  /** Compares a value by identity, because another value may be equal. */
  private record IdentityKey(StoredValue value) {
    @Override
    @SuppressWarnings("ReferenceEquality") // the budget counts objects
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

  /** The bytes that one request holds. For one thread at a time. */
  public final class Reservation {
    private long bytes;

    /**
     * Grows the reservation to this size, unless it is larger already. A reservation that is the
     * only one may exceed the budget: otherwise a small heap could never accept the longest values.
     *
     * @throws ProblemException if the budget is exhausted; the reservation is unchanged then
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

    /** Releases the reservation. A second call does nothing. */
    void release() {
      releaseBytes(bytes);
      bytes = 0;
    }
  }
}
