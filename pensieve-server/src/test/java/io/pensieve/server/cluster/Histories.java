package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.server.linearizability.Answer;
import io.pensieve.server.linearizability.LinearizabilityChecker;
import io.pensieve.server.linearizability.Operation;
import io.pensieve.server.linearizability.Request;
import io.pensieve.server.linearizability.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;

/** What all clients did and were told, a history a key. Of their time there is one clock. */
final class Histories {
  // An entry may expire by the server's clock, which may be set meanwhile.
  private static final Duration CLOCK_ERROR = Duration.ofMillis(500);

  private final long startNanos = System.nanoTime();
  private final Map<String, List<Operation>> byKey = new ConcurrentSkipListMap<>();

  long nanos() {
    return System.nanoTime() - startNanos;
  }

  /** Adds an operation that was invoked then, and has just been answered. */
  void add(String key, String client, Request request, Answer answer, long invokedNanos) {
    long completedNanos = answer instanceof Answer.Unknown ? Operation.NEVER : nanos();
    List<Operation> history = byKey.computeIfAbsent(key, unknown -> new ArrayList<>());
    synchronized (history) {
      history.add(new Operation(client, request, answer, invokedNanos, completedNanos));
    }
  }

  Set<String> keys() {
    return byKey.keySet();
  }

  int size() {
    return byKey.values().stream().mapToInt(List::size).sum();
  }

  long unknown() {
    return byKey.values().stream()
        .flatMap(List::stream)
        .filter(each -> each.answer() instanceof Answer.Unknown)
        .count();
  }

  /** Fails unless there is an order of each key. To be called when no client runs any more. */
  void assertLinearizable(String test) {
    byKey.forEach(
        (key, history) -> {
          Optional<Violation> violation = LinearizabilityChecker.check(history, CLOCK_ERROR);
          assertEquals(Optional.empty(), violation, () -> test + ", key " + key);
        });
  }
}
