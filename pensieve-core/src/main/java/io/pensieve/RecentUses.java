package io.pensieve;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A sample of the keys that reads have used, for a log that replicates the order of uses.
 *
 * <p>Lossy on purpose. Threads count their uses without atomic operations, so that two may take one
 * place; a ring that is full overwrites its oldest keys.
 */
final class RecentUses<K> {
  private static final int PLACES = 1 << 10; // a power of two

  private final AtomicReferenceArray<@Nullable K> ring = new AtomicReferenceArray<>(PLACES);
  private int next; // racy
  private int drained; // by the thread that drains

  void record(K key) {
    int place = next;
    next = place + 1;
    ring.setRelease(place & PLACES - 1, key);
  }

  /** Delivers the keys recorded since the last call, the last one last. */
  void drain(Consumer<? super K> keys) {
    int end = next;
    int begin = end - drained > PLACES || end - drained < 0 ? end - PLACES : drained;
    for (int place = begin; place != end; place++) {
      K key = ring.getAndSet(place & PLACES - 1, null);
      if (key != null) {
        keys.accept(key);
      }
    }
    drained = end;
  }
}
