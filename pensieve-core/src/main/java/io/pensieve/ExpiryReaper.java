package io.pensieve;

import io.pensieve.lru.LruTable;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Removes entries whose time is over, a few times a second, on a daemon thread of its own. It
 * begins when the map is open and has had an entry that expires, and ends when the map is closed,
 * or forgotten: it does not keep its map from being collected.
 *
 * <p>Nothing else ends it: what a turn throws, an error too, is over with that turn. A thread that
 * could not be started, or has ended all the same, is started by the next entry that expires.
 */
final class ExpiryReaper implements Runnable {
  private static final long PAUSE_NANOS = Duration.ofMillis(250).toNanos();

  private final ThreadFactory threads;
  private @Nullable WeakReference<LruTable<?, ?>> table; // null before the map is open
  private boolean needed;
  private volatile @Nullable Thread thread; // the last one that was started
  private volatile boolean stopped;

  ExpiryReaper() {
    this(
        work -> {
          Thread thread = new Thread(work, "pensieve-expiry-reaper");
          thread.setDaemon(true);
          return thread;
        });
  }

  ExpiryReaper(ThreadFactory threads) {
    this.threads = threads;
  }

  /** An entry has come that expires. Never throws: its writer has done its work. */
  void ensureStarted() {
    if (!isRunning()) {
      startIfReady(true);
    }
  }

  /** The map is open. */
  synchronized void attach(LruTable<?, ?> opened) {
    table = new WeakReference<>(opened);
    startIfReady(false);
  }

  private synchronized void startIfReady(boolean isNeeded) {
    needed |= isNeeded;
    if (!needed || table == null || isRunning() || stopped) {
      return;
    }
    try {
      Thread started = threads.newThread(this);
      thread = started;
      started.start();
    } catch (Throwable noThreadToBeHad) {
      thread = null; // until the next one comes, what has expired is only not shown
    }
  }

  private boolean isRunning() {
    Thread current = thread;
    return current != null && current.isAlive();
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
    LruTable<?, ?> current = attached();
    if (current == null) {
      return false;
    }
    try {
      current.expireDue();
    } catch (Throwable refused) {
      // The log has failed, the map is being closed, or something of a caller's has thrown. Writers
      // are told; what has expired is not shown, removed or not. The next turn tries again.
      return true;
    }
    return true;
  }

  private synchronized @Nullable LruTable<?, ?> attached() {
    return table == null ? null : table.get();
  }
}
