package io.pensieve;

import io.pensieve.lru.RemovalObserver;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Counts the values that leave the table, and calls the listener for each. */
final class RemovalNotifier<K, V> implements RemovalObserver<K, V> {
  /** The default listener, which does nothing. */
  static final RemovalListener<Object, Object> NOBODY = (key, value, cause) -> {};

  private final Counters counters;
  private final RemovalListener<? super K, ? super V> listener;
  private final Warnings warnings;

  RemovalNotifier(
      Counters counters,
      RemovalListener<? super K, ? super V> listener,
      Supplier<System.Logger> logger,
      LongSupplier nanoTime) {
    this.warnings = new Warnings("a removal listener", logger, nanoTime);
    this.counters = counters;
    this.listener = listener;
  }

  @Override
  public void replaced(K key, V value) {
    notifyListener(key, value, RemovalCause.REPLACED);
  }

  @Override
  public void removed(K key, V value) {
    counters.removal();
    notifyListener(key, value, RemovalCause.REMOVED);
  }

  @Override
  public void evicted(K key, V value) {
    counters.eviction();
    notifyListener(key, value, RemovalCause.EVICTED);
  }

  @Override
  public void expired(K key, V value) {
    counters.expiry();
    notifyListener(key, value, RemovalCause.EXPIRED);
  }

  // The write has been made: an exception of the listener must not look like a failed write.
  private void notifyListener(K key, V value, RemovalCause cause) {
    if (listener == NOBODY) {
      return;
    }
    try {
      ListenerDepth.runNested(() -> listener.removed(key, value, cause));
    } catch (Throwable thrown) {
      warnings.warn(thrown);
    }
  }

  /**
   * Tells the operator what a caller's function has thrown, where no caller is told. A function
   * that always throws, or a listener that always writes until it is refused, must not flood the
   * operator's log. The first line has the stack trace. Later lines come at most once a minute,
   * with a count.
   */
  static final class Warnings {
    private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final String who;
    private final Supplier<System.Logger> logger;
    private final LongSupplier nanoTime;
    private final AtomicLong notBeforeNanos; // when the next line may be logged
    private final AtomicLong thrownSince = new AtomicLong(); // the last line
    private volatile boolean warned;

    Warnings(String who, Supplier<System.Logger> logger, LongSupplier nanoTime) {
      this.who = who;
      this.logger = logger;
      this.nanoTime = nanoTime;
      this.notBeforeNanos = new AtomicLong(nanoTime.getAsLong());
    }

    void warn(Throwable thrown) {
      try {
        thrownSince.incrementAndGet();
        long now = nanoTime.getAsLong();
        long notBefore = notBeforeNanos.get();
        if (now - notBefore < 0 || !notBeforeNanos.compareAndSet(notBefore, now + QUIET_NANOS)) {
          return;
        }
        long count = thrownSince.getAndSet(0);
        if (warned) {
          String line = who + " has thrown " + count + " times more, now " + thrown;
          logger.get().log(Level.WARNING, line);
        } else {
          warned = true;
          logger.get().log(Level.WARNING, who + " has thrown", thrown);
        }
      } catch (Throwable cannotBeLogged) {
        // Logging itself failed, for example at the end of the stack or the heap. Nothing more can
        // be done.
      }
    }
  }
}
