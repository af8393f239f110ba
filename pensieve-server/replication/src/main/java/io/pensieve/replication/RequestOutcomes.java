package io.pensieve.replication;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import io.pensieve.replication.RequestOutcome.ChangeOutcome;
import io.pensieve.replication.format.Request;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the last requests with an id have changed. Bounded by number and by time.
 *
 * <p>A request is remembered from its first append on, so no second execution can slip in: first as
 * uncommitted, then as committed. The id is in the same entry as the changes, so it is committed
 * with them, or lost with them.
 */
final class RequestOutcomes<V> {
  static final int ID_LENGTH_MAX = 256;

  /** A committed request. */
  record Remembered<V>(String id, long millis, RequestOutcome<V> outcome) {}

  private static final class Execution {
    final RequestOutcomes<?> log;
    final String id;
    boolean hasChanged; // only its first append counts; the next ones are evictions

    Execution(RequestOutcomes<?> log, String id) {
      this.log = log;
      this.id = id;
    }
  }

  private static final ThreadLocal<@Nullable Execution> CURRENT = new ThreadLocal<>();

  private final int number;
  private final long timeMillis;

  @GuardedBy("this")
  private final Map<String, Remembered<V>> committed = new LinkedHashMap<>(); // the oldest first

  @GuardedBy("this")
  private final Map<String, RequestOutcome<V>> uncommitted = new HashMap<>();

  @GuardedBy("this")
  private final Set<String> executing = new HashSet<>();

  RequestOutcomes(RaftSettings settings) {
    this.number = settings.requestIds();
    this.timeMillis = settings.requestTime().toMillis();
  }

  <T> Optional<T> execute(String id, Supplier<T> update) {
    if (id.isEmpty() || id.length() > ID_LENGTH_MAX) {
      throw new IllegalArgumentException(
          "a request's id has 1 to " + ID_LENGTH_MAX + " characters, not " + id.length());
    } else if (CURRENT.get() != null) {
      throw new IllegalStateException("a request within a request");
    } else if (!claim(id)) {
      return Optional.empty();
    }
    try {
      CURRENT.set(new Execution(this, id));
      return Optional.of(update.get());
    } finally {
      CURRENT.remove();
      release(id);
    }
  }

  private synchronized boolean claim(String id) {
    if (committed.containsKey(id) || uncommitted.containsKey(id)) {
      return false;
    } else if (!executing.add(id)) {
      throw new LogException.Overloaded("the request " + id + " is being executed");
    }
    return true;
  }

  private synchronized void release(String id) {
    executing.remove(id);
  }

  synchronized Optional<RequestOutcome<V>> outcome(String id) {
    Remembered<V> remembered = committed.get(id);
    return remembered != null
        ? Optional.of(remembered.outcome())
        : Optional.ofNullable(uncommitted.get(id));
  }

  /** The id of the request that this thread executes, if it has not changed anything yet. */
  @Nullable String currentId() {
    Execution execution = CURRENT.get();
    boolean isFirst = execution != null && execution.log == this && !execution.hasChanged;
    return isFirst ? execution.id : null;
  }

  /** The log takes an update, whose first change gets this number. */
  void begin(UncommittedUpdate<?, V> update, long first) {
    Request request = update.request();
    if (request != null) {
      RequestOutcome<V> outcome = outcome(request, update.changes(), first);
      synchronized (this) {
        uncommitted.put(request.id(), outcome);
      }
      Execution execution = CURRENT.get();
      if (execution != null) {
        execution.hasChanged = true;
      }
    }
  }

  /** What a request has changed, if its first change has this number. */
  static <K, V> RequestOutcome<V> outcome(
      Request request, List<? extends Change<K, V>> changes, long first) {
    List<ChangeOutcome<V>> outcomes = new ArrayList<>();
    for (int i = 0; i < changes.size(); i++) {
      Request.Effect effect = request.effects().get(i);
      V value = changes.get(i) instanceof Change.Put<K, V> put ? put.value() : null;
      outcomes.add(
          new ChangeOutcome<>(
              first + i, effect.added(), value == null, effect.small() ? value : null));
    }
    return new RequestOutcome<>(List.copyOf(outcomes));
  }

  /** The changes of this request were lost. */
  synchronized void lose(Request request) {
    uncommitted.remove(request.id());
  }

  /** The changes of this request are committed. */
  synchronized void commit(Remembered<V> request) {
    uncommitted.remove(request.id());
    committed.remove(request.id()); // to be the last one
    committed.put(request.id(), request);
    Iterator<Remembered<V>> oldest = committed.values().iterator();
    while (oldest.hasNext()) {
      boolean isOld = oldest.next().millis() < request.millis() - timeMillis;
      if (!isOld && committed.size() <= number) {
        break;
      }
      oldest.remove();
    }
  }

  /** The committed requests, the oldest first. */
  synchronized List<Remembered<V>> committed() {
    return List.copyOf(committed.values());
  }

  /** Replaces all by the requests of a saved state. */
  synchronized void replaceAll(Collection<Remembered<V>> requests) {
    committed.clear();
    requests.forEach(request -> committed.put(request.id(), request));
  }
}
