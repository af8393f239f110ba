package io.pensieve;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.lru.LruTable;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Removes expired entries, a few times a second, on its own daemon thread. The thread starts once
 * the map is open and has had an entry that expires. It ends when the map is closed or
 * garbage-collected: it does not keep its map reachable.
 *
 * <p>Nothing else ends it: an exception or error ends only the current round. If the thread cannot
 * be started, or has died nevertheless, the next entry that expires starts it again.
 */
final class ExpiryReaper implements Runnable {
  private static final long PAUSE_NANOS = Duration.ofMillis(250).toNanos();

  private final ThreadFactory threads;

  @GuardedBy("this")
  private @Nullable WeakReference<LruTable<?, ?>> table; // null before the map is open

  @GuardedBy("this")
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

  /**
   * Starts the thread if necessary, for an entry that expires. Never throws, because the entry is
   * already written.
   */
  void ensureStarted() {
    if (!isRunning()) {
      startIfReady(true);
    }
  }

  /** Attaches the opened map. */
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
      thread = null; // until the next try, expired entries stay, but invisible
    }
  }

  private boolean isRunning() {
    Thread current = thread;
    return current != null && current.isAlive();
  }

  /** Ends the thread soon. Does not wait for it, because this thread may be the caller. */
  synchronized void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  @Override
  public void run() {
    while (!stopped && expireDue()) {
      LockSupport.parkNanos(this, PAUSE_NANOS);
      // Nobody may end this thread by an interrupt; with the flag set, it would not pause.
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
      // The log has failed, the map is being closed, or a caller's code has thrown. Writers get the
      // error. Expired entries are invisible, removed or not. The next round tries again.
      return true;
    }
    return true;
  }

  private synchronized @Nullable LruTable<?, ?> attached() {
    return table == null ? null : table.get();
  }
}
