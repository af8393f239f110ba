package io.pensieve.server.http.changes;

import io.pensieve.server.http.json.LazyBytes;
import io.pensieve.server.http.protocol.MemoryBudget;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of an event, which many streams may queue at once. The memory budget counts them once,
 * while any stream holds them.
 */
public final class SharedEventBytes {
  private final LazyBytes bytes;
  private final @Nullable MemoryBudget budget;
  private final AtomicInteger holders = new AtomicInteger();

  private SharedEventBytes(LazyBytes bytes, @Nullable MemoryBudget budget) {
    this.bytes = bytes;
    this.budget = budget;
  }

  static SharedEventBytes in(MemoryBudget budget, LazyBytes bytes) {
    return new SharedEventBytes(bytes, budget);
  }

  /** Returns an event that is too small and too rare to count. */
  public static SharedEventBytes uncounted(LazyBytes bytes) {
    return new SharedEventBytes(bytes, null);
  }

  /** Returns the same event, not counted. For one that is sent at once. */
  SharedEventBytes uncounted() {
    return uncounted(bytes);
  }

  long length() {
    return bytes.length();
  }

  LazyBytes.PartReader read() {
    return bytes.read();
  }

  /**
   * Holds the event for one more stream. Returns false if the budget is exhausted. One thread calls
   * this for all streams of an event. So a caller that finds another holder knows that the bytes
   * are reserved.
   */
  boolean retain() {
    if (budget == null) {
      return true;
    }
    if (holders.getAndIncrement() == 0 && !budget.tryReserve(bytes.bytesHeld(), 0)) {
      holders.decrementAndGet();
      return false;
    }
    return true;
  }

  /** Ends one hold. Any thread may call this. */
  void release() {
    if (budget != null && holders.decrementAndGet() == 0) {
      budget.releaseBytes(bytes.bytesHeld());
    }
  }
}
