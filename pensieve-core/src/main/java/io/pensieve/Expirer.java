package io.pensieve;

import io.pensieve.lru.LruTable;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Removes entries whose time is over, a few times a second, on a daemon thread of its own. It
 * begins when the map is open and has had an entry that expires, and ends when the map is closed,
 * or forgotten: it does not keep its map from being collected.
 */
final class Expirer implements Runnable {
  private static final long PAUSE_NANOS = Duration.ofMillis(250).toNanos();

  private @Nullable WeakReference<LruTable<?, ?>> table; // null before the map is open
  private boolean needed;
  private @Nullable Thread thread;
  private volatile boolean stopped;

  /** The first entry has come that expires. */
  synchronized void need() {
    needed = true;
    startIfReady();
  }

  /** The map is open. */
  synchronized void serve(LruTable<?, ?> opened) {
    table = new WeakReference<>(opened);
    startIfReady();
  }

  private void startIfReady() {
    if (needed && table != null && thread == null && !stopped) {
      thread = new Thread(this, "pensieve-expirer");
      thread.setDaemon(true);
      thread.start();
    }
  }

  /** Ends the thread soon. Does not wait for it: it may be the one that calls. */
  synchronized void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  @Override
  public void run() {
    while (!stopped && expireDue()) {
      LockSupport.parkNanos(this, PAUSE_NANOS);
      // An interrupt is nobody's way to end this thread; with the flag set, it would not pause.
      boolean ignored = Thread.interrupted();
    }
  }

  private boolean expireDue() {
    LruTable<?, ?> current = served();
    if (current == null) {
      return false;
    }
    try {
      current.expireDue();
    } catch (RuntimeException refused) {
      // The log has failed, or the map is being closed. Writers are told; what has expired is not
      // shown, removed or not. A log that works again is used at the next turn.
      return true;
    }
    return true;
  }

  private synchronized @Nullable LruTable<?, ?> served() {
    return table == null ? null : table.get();
  }
}
