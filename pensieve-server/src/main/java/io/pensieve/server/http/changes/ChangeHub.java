package io.pensieve.server.http.changes;

import com.google.errorprone.annotations.concurrent.GuardedBy;
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
 * Delivers the map's changes to all that wait for some. One thread reads one stream for any number
 * of subscribers, and reads nothing if there are none. A delivered change is visible in the map.
 */
public final class ChangeHub implements AutoCloseable {
  // The hub's thread opens the stream on the first request, because that can take long. It closes
  // the stream when nothing has requested changes for a while. This object's monitor guards all
  // fields. Opening, reading and creating events happen outside the monitor, so no I/O thread waits
  // for them.
  //
  // `told` rises before the hub delivers the changes up to it to the subscribers of that moment. A
  // later subscriber must already know those changes. Listeners run with the monitor held. They
  // only put something into a queue, and take no lock that a caller of this hub may hold.
  //
  // The hub logs what a listener throws. If `lost` throws, the hub abandons that subscriber.
  // Anything else that is thrown, also an Error, ends all subscriptions, and the thread continues.
  // If the thread dies anyway, the next request for changes starts another.

  private static final Duration PATIENCE = Duration.ofMillis(500);
  private static final long LINGER_NANOS = Duration.ofSeconds(5).toNanos();
  private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  private final Pensieve<String, StoredValue> map;

  @GuardedBy("this")
  private final Map<String, Set<Runnable>> byKey = new HashMap<>();

  @GuardedBy("this")
  private final Set<Subscriber> toAll = new LinkedHashSet<>();

  @GuardedBy("this")
  private @Nullable Thread reader; // null until changes are first requested

  @GuardedBy("this")
  private State state = State.IDLE;

  @GuardedBy("this")
  private long told; // last delivered sequence, in state READING

  @GuardedBy("this")
  private long lastWantedNanos;

  @GuardedBy("this")
  private @Nullable RuntimeException failure; // of the last attempt; null after a new attempt

  @GuardedBy("this")
  private long failureNanos;

  /** The state of the hub's thread. */
  private enum State {
    IDLE,
    WANTED,
    READING,
    CLOSED
  }

  /** Receives every change. The hub's thread calls it, so it must not block. */
  public interface Subscriber {
    /** Receives one change. Changes arrive in order. */
    void changed(ChangeEvent change);

    /** All changes up to this sequence have been delivered. */
    void passed(long sequence);

    /** No more changes will be delivered, for this reason. */
    void lost(RuntimeException why);

    /**
     * Like {@link #lost}, when there may be no memory for a message to the client. Throws nothing.
     */
    void abandoned();
  }

  public ChangeHub(Pensieve<String, StoredValue> map) {
    this.map = map;
  }

  /**
   * From now on, runs the listener after each change of this key. Also runs it when a change may
   * have been missed, and once soon after this call. So a listener that reads the map each time
   * misses nothing.
   *
   * @throws RuntimeException the exception of the last attempt, if reading changes failed just now
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
   * Subscribes a subscriber that knows all changes up to this sequence. It may receive some of them
   * again.
   *
   * @return whether it will receive all changes after that sequence. If false, the hub is not
   *     reading yet or has delivered later changes already; the subscriber may retry once it knows
   *     more
   * @throws RuntimeException the exception of the last attempt, if reading changes failed just now
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

  /** Returns how many subscribers receive every change. */
  public synchronized int subscribers() {
    return toAll.size();
  }

  /** Returns why changes cannot be read at the moment; null if they can, or nothing has tried. */
  synchronized @Nullable RuntimeException failure() {
    return failure;
  }

  @GuardedBy("this")
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
      state = State.IDLE; // resets the state that the dead thread left
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
      // Only the hub interrupts this thread, to end it.
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

  // A listener that has read the map may have missed the changes since then, so run them all.
  private synchronized void begin(long sequence) {
    if (state == State.WANTED) {
      state = State.READING;
      told = sequence;
      runAll();
    }
  }

  @GuardedBy("this")
  private void runAll() {
    new ArrayList<>(byKey.values()).forEach(ChangeHub::runEach);
  }

  /** Runs every listener, even if one of them throws. */
  private static void runEach(Set<Runnable> listeners) {
    for (Runnable listener : listeners) {
      try {
        listener.run();
      } catch (RuntimeException | Error broken) {
        ExceptionMapper.logUnexpected(
            broken); // it runs again after the next change, or at its deadline
      }
    }
  }

  /** Delivers changes. Returns whether anything wants more. */
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
      // A listener of a key need not know which changes it missed, only that it may have.
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

  /** Ends the thread. Subscribers receive nothing more. */
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
