package io.pensieve.server.http.changes;

import io.pensieve.server.http.json.LazyBytes;
import io.pensieve.server.http.protocol.MemoryBudget;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An event as it is sent. Many streams may have it waiting at once: what it holds of the heap is
 * counted while any of them does, and only once.
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

  /** What is so small, and so seldom, that it need not be counted. */
  public static SharedEventBytes uncounted(LazyBytes bytes) {
    return new SharedEventBytes(bytes, null);
  }

  /** The same, not counted: for one that is sent at once. */
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
   * Holds it for one stream more, if there is room. Of all streams that are offered the same event
   * one thread does this, so that whoever finds a holder finds the room taken.
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

  /** Ends one hold; any thread may. */
  void release() {
    if (budget != null && holders.decrementAndGet() == 0) {
      budget.releaseBytes(bytes.bytesHeld());
    }
  }
}
