package io.pensieve;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The keys whose values are being loaded, each by one thread. No lock is held meanwhile.
 *
 * <p>The loading thread puts the value into the map before it ends the load here. So a thread that
 * finds no value, then begins a load, and then looks once more, loads nothing that another thread
 * has just loaded.
 */
final class LoadsInProgress<K, V> {
  private final ConcurrentMap<K, Load<V>> loads = new ConcurrentHashMap<>();

  /** The load of one key. */
  static final class Load<V> {
    private final Thread loader = Thread.currentThread();
    private final CompletableFuture<@Nullable V> result = new CompletableFuture<>();

    /** Whether this thread is the one to load the value. */
    boolean isOwn() {
      return loader == Thread.currentThread();
    }

    void complete(@Nullable V value) {
      result.complete(value);
    }

    void fail(Throwable failed) {
      result.completeExceptionally(failed);
    }

    /** Waits for another thread's load. Throws what its loader has thrown. */
    @Nullable V await() {
      try {
        return result.join();
      } catch (CompletionException failed) {
        Throwable cause = failed.getCause();
        if (cause instanceof RuntimeException unchecked) {
          throw unchecked;
        } else if (cause instanceof Error error) {
          throw error;
        }
        throw failed;
      }
    }
  }

  /**
   * Begins the load of a key, or joins the one that is in progress.
   *
   * @throws IllegalStateException if this thread is loading the key already
   */
  Load<V> join(K key) {
    Load<V> begun = new Load<>();
    Load<V> present = loads.putIfAbsent(key, begun);
    if (present != null && present.isOwn()) {
      throw new IllegalStateException("recursive load: the loader asks for the key that it loads");
    }
    return present == null ? begun : present;
  }

  /** Ends a load of this thread, after it was completed or has failed. */
  void end(K key, Load<V> load) {
    loads.remove(key, load);
  }
}
