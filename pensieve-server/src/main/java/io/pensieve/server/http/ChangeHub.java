package io.pensieve.server.http;

import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Hands the changes of the map out to all who wait for some: one thread reads one stream, however
 * many they are, and none when there is nobody.
 *
 * <p>A change that is told can be seen in the map. So whoever subscribes first and looks at the map
 * then misses nothing: what it does not see, it is told.
 */
final class ChangeHub implements AutoCloseable {
  // The stream is opened by the first who subscribes, as part of that, and closed by the thread
  // that reads it, when it finds that nobody is left. Both happen under this object's monitor,
  // which also guards all fields. Only reading is outside of it. Subscribers are called with the
  // monitor held: they put something into a queue, at most, and take no lock under which anyone
  // calls this hub.

  private static final Duration PATIENCE = Duration.ofMillis(500);

  private final Source source;
  private final Map<String, Set<Runnable>> byKey = new HashMap<>();
  private final Set<Subscriber> toAll = new LinkedHashSet<>();
  private final Thread reader;
  private @Nullable ChangeStream<String, StoredValue> stream;
  private boolean closed;

  /** Where streams of changes come from. */
  interface Source {
    /** The changes from now on. */
    ChangeStream<String, StoredValue> fromNow();

    /**
     * The changes after this one.
     *
     * @throws LogException.Forgotten if they are not kept any more
     * @throws IllegalArgumentException if that was never a change
     */
    ChangeStream<String, StoredValue> since(long sequence);

    /** Those of a log. */
    static Source of(Log<String, StoredValue> log) {
      return new Source() {
        @Override
        public ChangeStream<String, StoredValue> fromNow() {
          return log.changes();
        }

        @Override
        public ChangeStream<String, StoredValue> since(long sequence) {
          return log.changes(sequence);
        }
      };
    }
  }

  /** Is told every change. Called by the hub's thread, so it must not wait for anything. */
  interface Subscriber {
    /** One change, later than all that were told before. */
    void changed(ChangeEvent change);

    /** All changes up to this one were told. */
    void passed(long sequence);

    /** No more changes will be told, because of this. */
    void lost(RuntimeException why);
  }

  ChangeHub(Source source) {
    this.source = source;
    this.reader = new Thread(this::run, "pensieve-changes");
    reader.setDaemon(true);
  }

  /**
   * From now on the listener is run after each change of this key; also if that may have been
   * missed.
   *
   * @throws LogException if the changes cannot be read
   */
  synchronized void listen(String key, Runnable listener) {
    open();
    byKey.computeIfAbsent(key, first -> new LinkedHashSet<>()).add(listener);
  }

  synchronized void forget(String key, Runnable listener) {
    byKey.computeIfPresent(
        key,
        (same, listeners) -> {
          listeners.remove(listener);
          return listeners.isEmpty() ? null : listeners;
        });
  }

  /**
   * Subscribes someone who knows all changes up to this one. The hub may have told later ones
   * already; whoever is refused because of that reads on by himself, and comes again.
   *
   * @return whether the subscriber will be told all changes after that one
   */
  synchronized boolean join(Subscriber subscriber, long known) {
    ChangeStream<String, StoredValue> opened = open();
    if (known < opened.sequence()) {
      return false;
    }
    toAll.add(subscriber);
    return true;
  }

  synchronized void leave(Subscriber subscriber) {
    toAll.remove(subscriber);
  }

  private ChangeStream<String, StoredValue> open() {
    ChangeStream<String, StoredValue> opened = stream;
    if (opened == null) {
      opened = source.fromNow();
      stream = opened;
      if (reader.getState() == Thread.State.NEW && !closed) {
        reader.start();
      }
      notifyAll();
    }
    return opened;
  }

  private void run() {
    try {
      for (ChangeStream<String, StoredValue> opened; (opened = awaitStream()) != null; ) {
        try {
          tell(opened, opened.next(PATIENCE));
        } catch (RuntimeException broken) {
          lose(opened, broken);
        }
      }
    } catch (InterruptedException closedMeanwhile) {
      // This thread belongs to the hub alone, which interrupts it to end it.
    }
  }

  private synchronized @Nullable ChangeStream<String, StoredValue> awaitStream()
      throws InterruptedException {
    while (stream == null && !closed) {
      wait();
    }
    return closed ? null : stream;
  }

  private synchronized void tell(
      ChangeStream<String, StoredValue> read, List<Sequenced<String, StoredValue>> changes) {
    for (Sequenced<String, StoredValue> each : changes) {
      ChangeEvent change = new ChangeEvent(each);
      toAll.forEach(subscriber -> subscriber.changed(change));
      byKey.getOrDefault(change.key(), Set.of()).forEach(Runnable::run);
    }
    long passed = read.sequence();
    toAll.forEach(subscriber -> subscriber.passed(passed));
    if (toAll.isEmpty() && byKey.isEmpty()) {
      read.close();
      stream = null;
    }
  }

  // Whoever listens to a key need not know what he has missed, only that he may have.
  private synchronized void lose(ChangeStream<String, StoredValue> read, RuntimeException why) {
    read.close();
    stream = null;
    List<Subscriber> lost = List.copyOf(toAll);
    toAll.clear();
    lost.forEach(subscriber -> subscriber.lost(why));
    if (why instanceof LogException.Forgotten && !byKey.isEmpty()) {
      open();
    }
    new ArrayList<>(byKey.values()).forEach(listeners -> listeners.forEach(Runnable::run));
  }

  /** Ends the thread. Whoever is subscribed is told nothing more. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    reader.interrupt();
    boolean interrupted = false;
    while (reader.isAlive()) {
      try {
        reader.join();
      } catch (InterruptedException keep) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    synchronized (this) {
      if (stream != null) {
        stream.close();
        stream = null;
      }
    }
  }
}
