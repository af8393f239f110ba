package io.pensieve;

import io.pensieve.lru.Observer;
import java.lang.System.Logger.Level;
import java.util.function.Supplier;

/** Counts the values that leave the table, and tells the listener of each. */
final class Departures<K, V> implements Observer<K, V> {
  private final Counters counters;
  private final RemovalListener<? super K, ? super V> listener;
  private final Supplier<System.Logger> logger;

  Departures(
      Counters counters,
      RemovalListener<? super K, ? super V> listener,
      Supplier<System.Logger> logger) {
    this.logger = logger;
    this.counters = counters;
    this.listener = listener;
  }

  @Override
  public void replaced(K key, V value) {
    tell(key, value, RemovalCause.REPLACED);
  }

  @Override
  public void removed(K key, V value) {
    counters.removal();
    tell(key, value, RemovalCause.REMOVED);
  }

  @Override
  public void evicted(K key, V value) {
    counters.eviction();
    tell(key, value, RemovalCause.EVICTED);
  }

  @Override
  public void expired(K key, V value) {
    counters.expiry();
    tell(key, value, RemovalCause.EXPIRED);
  }

  // The write has been made: nothing that a listener throws may look like its failure.
  private void tell(K key, V value, RemovalCause cause) {
    if (listener == PensieveBuilder.NOBODY) {
      return;
    }
    try {
      ListenerDepth.deeper(() -> listener.removed(key, value, cause));
    } catch (Throwable thrown) {
      warn(thrown);
    }
  }

  private void warn(Throwable thrown) {
    try {
      logger.get().log(Level.WARNING, "a removal listener has thrown", thrown);
    } catch (Throwable cannotBeLogged) {
      // At the end of the stack or the heap, for one. There is nobody else to tell.
    }
  }
}
