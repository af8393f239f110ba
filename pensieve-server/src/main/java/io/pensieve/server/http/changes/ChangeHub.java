package io.pensieve.server.http.changes;

import io.pensieve.Pensieve;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.LogException;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.value.StoredValue;
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
 * many they are, and none when there is nobody. A change that is told can be seen in the map.
 */
public final class ChangeHub implements AutoCloseable {
  // Its thread opens the stream when somebody wants it, since that may take long, and closes it
  // when nobody has wanted it for a while. This object's monitor guards all fields; opening,
  // reading
  // and making events are outside of it, so that no I/O thread waits for them. `told` is raised
  // before the changes up to it are told to those who subscribe at that moment: who joins later
  // must know them. Listeners are run with the monitor held: they put something into a queue, at
  // most, and take no lock under which anyone calls this hub.
  //
  // Whatever a subscriber or a listener throws is its own end, or nothing; whatever else is thrown,
  // an Error too, ends the subscriptions, is logged, and the thread goes on. Should it die all the
  // same, the next one who wants changes starts another.

  private static final Duration PATIENCE = Duration.ofMillis(500);
  private static final long LINGER_NANOS = Duration.ofSeconds(5).toNanos();
  private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  private final Pensieve<String, StoredValue> map;
  private final Map<String, Set<Runnable>> byKey = new HashMap<>();
  private final Set<Subscriber> toAll = new LinkedHashSet<>();
  private @Nullable Thread reader; // null before anyone wanted changes
  private State state = State.IDLE;
  private long told; // up to which sequence, while READING
  private long lastWantedNanos;
  private @Nullable RuntimeException failure; // of the last try, if there was none since
  private long failureNanos;

  /** Where the thread is. */
  private enum State {
    IDLE,
    WANTED,
    READING,
    CLOSED
  }

  /** Is told every change. Called by the hub's thread, so it must not wait for anything. */
  public interface Subscriber {
    /** One change; those come in order. */
    void changed(ChangeEvent change);

    /** All changes up to this one were told. */
    void passed(long sequence);

    /** No more changes will be told, because of this. */
    void lost(RuntimeException why);

    /** The same, when there may be no memory to tell its client anything. Throws nothing. */
    void abandoned();
  }

  public ChangeHub(Pensieve<String, StoredValue> map) {
    this.map = map;
  }

  /**
   * From now on the listener is run after each change of this key; also when one may have been
   * missed, and once soon after this call. So whoever looks at the map each time misses nothing.
   *
   * @throws RuntimeException that of the last try, if changes could not be read just now
   */
  public synchronized void addListener(String key, Runnable listener) {
    want();
    byKey.computeIfAbsent(key, first -> new LinkedHashSet<>()).add(listener);
  }

  synchronized void removeListener(String key, Runnable listener) {
    byKey.computeIfPresent(
        key,
        (same, listeners) -> {
          listeners.remove(listener);
          return listeners.isEmpty() ? null : listeners;
        });
  }

  /**
   * Subscribes someone who knows all changes up to this one. He may be told some of them again.
   *
   * @return whether he will be told all changes after that one; if not, the hub is not reading yet,
   *     or has told later ones already: he may come again, knowing more
   * @throws RuntimeException that of the last try, if changes could not be read just now
   */
  public synchronized boolean subscribe(Subscriber subscriber, long known) {
    want();
    if (state != State.READING || known < told) {
      return false;
    }
    toAll.add(subscriber);
    return true;
  }

  public synchronized void unsubscribe(Subscriber subscriber) {
    toAll.remove(subscriber);
  }

  /** How many are told every change. */
  public synchronized int subscribers() {
    return toAll.size();
  }

  /** Why changes cannot be read at the moment; null if they can, or nobody has tried. */
  synchronized @Nullable RuntimeException failure() {
    return failure;
  }

  private void want() {
    long now = System.nanoTime();
    if (failure != null && now - failureNanos < RETRY_NANOS) {
      throw failure;
    }
    failure = null;
    lastWantedNanos = now;
    if (state == State.CLOSED) {
      return;
    }
    if (reader == null || !reader.isAlive()) {
      reader = new Thread(this::run, "pensieve-change-hub");
      reader.setDaemon(true);
      state = State.IDLE; // whatever the one before left
      reader.start();
    }
    if (state == State.IDLE) {
      state = State.WANTED;
      notifyAll();
    }
  }

  private void run() {
    try {
      while (awaitWanted()) {
        read();
      }
    } catch (InterruptedException closed) {
      // This thread belongs to the hub alone, which interrupts it to end it.
    }
  }

  private synchronized boolean awaitWanted() throws InterruptedException {
    while (state == State.IDLE) {
      wait();
    }
    return state != State.CLOSED;
  }

  private void read() throws InterruptedException {
    try (ChangeStream<String, StoredValue> stream = map.changes()) {
      begin(stream.sequence());
      boolean wanted = true;
      while (wanted) {
        List<Sequenced<String, StoredValue>> changes = stream.next(PATIENCE);
        wanted = deliver(changes, stream.sequence());
      }
    } catch (RuntimeException broken) {
      lose(broken);
    } catch (Error broken) {
      ExceptionMapper.logUnexpected(broken);
      lose(new LogException.Failed("changes could not be read", broken));
    }
  }

  // Who has looked at the map before now may have missed what was changed since he looked.
  private synchronized void begin(long sequence) {
    if (state == State.WANTED) {
      state = State.READING;
      told = sequence;
      runAll();
    }
  }

  private void runAll() {
    new ArrayList<>(byKey.values()).forEach(ChangeHub::runEach);
  }

  /** Runs them all, whatever any of them throws. */
  private static void runEach(Set<Runnable> listeners) {
    for (Runnable listener : listeners) {
      try {
        listener.run();
      } catch (RuntimeException | Error broken) {
        ExceptionMapper.logUnexpected(
            broken); // it looks again after the next change, or at its deadline
      }
    }
  }

  /** Tells changes; whether anyone wants more. */
  private boolean deliver(List<Sequenced<String, StoredValue>> changes, long sequence) {
    List<Subscriber> subscribers;
    synchronized (this) {
      if (state != State.READING) {
        return false;
      }
      told = sequence;
      for (Sequenced<String, StoredValue> change : changes) {
        runEach(byKey.getOrDefault(change.change().key(), Set.of()));
      }
      subscribers = List.copyOf(toAll);
    }
    for (Sequenced<String, StoredValue> each : changes) {
      ChangeEvent change = new ChangeEvent(each);
      subscribers.forEach(subscriber -> subscriber.changed(change));
    }
    subscribers.forEach(subscriber -> subscriber.passed(sequence));
    return isWanted();
  }

  private synchronized boolean isWanted() {
    if (state != State.READING) {
      return false;
    }
    boolean isWanted =
        !toAll.isEmpty() || !byKey.isEmpty() || System.nanoTime() - lastWantedNanos < LINGER_NANOS;
    state = isWanted ? State.READING : State.IDLE;
    return isWanted;
  }

  private synchronized void lose(RuntimeException why) {
    if (state == State.CLOSED) {
      return;
    }
    List<Subscriber> lost = List.copyOf(toAll);
    toAll.clear();
    if (why instanceof LogException.HistoryTruncated) {
      // Whoever listens to a key need not know what he has missed, only that he may have.
      state = byKey.isEmpty() ? State.IDLE : State.WANTED;
    } else {
      state = State.IDLE;
      failure = why;
      failureNanos = System.nanoTime();
      runAll();
    }
    lost.forEach(subscriber -> lose(subscriber, why));
  }

  private static void lose(Subscriber subscriber, RuntimeException why) {
    try {
      subscriber.lost(why);
    } catch (RuntimeException | Error notTold) {
      subscriber.abandoned();
    }
  }

  /** Ends the thread. Whoever is subscribed is told nothing more. */
  @Override
  public void close() {
    synchronized (this) {
      state = State.CLOSED;
      notifyAll();
    }
    Thread running = ended();
    running.interrupt();
    boolean interrupted = false;
    while (running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException keep) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized Thread ended() {
    return reader == null ? new Thread("never started") : reader;
  }
}
