package io.pensieve.server.linearizability;

import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds out whether there is one order of all operations on a key that explains each answer, and in
 * which no operation comes before one that had completed when it was invoked. An operation whose
 * outcome is unknown may come anywhere after its invocation, or nowhere.
 */
public final class LinearizabilityChecker {
  // Outcomes that are unknown can multiply the search. So it first keeps to the few configurations
  // that need the fewest of them. Only if that fails, it looks at more.
  private static final int WIDTH_FIRST = 16;
  private static final int WIDTH_GROWTH = 16;
  private static final int WIDTH_MAX = 1 << 16;

  private final List<Operation> history;
  private final Duration clockError;

  private LinearizabilityChecker(List<Operation> history, Duration clockError) {
    this.history = history;
    this.clockError = clockError;
  }

  /**
   * Checks the history of one key, which begins without an entry. Empty if it has an order.
   *
   * @param clockError how much earlier or later than its time an entry may expire
   */
  public static Optional<Violation> check(List<Operation> history, Duration clockError) {
    LinearizabilityChecker checker = new LinearizabilityChecker(history, clockError);
    return checker.search(history).hasOrder()
        ? Optional.empty()
        : Optional.of(checker.smallestViolation());
  }

  private OrderSearch search(List<Operation> operations) {
    for (int width = WIDTH_FIRST; width <= WIDTH_MAX; width *= WIDTH_GROWTH) {
      OrderSearch search = new OrderSearch(operations, clockError, width);
      search.run();
      if (search.hasOrder() || !search.isNarrowed()) {
        return search;
      }
    }
    throw new IllegalStateException("undecided: too many orders of " + operations);
  }

  /** A search knows what comes later, and may fail early by it. So it is asked for each prefix. */
  private Violation smallestViolation() {
    List<Operation> completed =
        history.stream()
            .filter(each -> !each.isUnknown())
            .sorted(Comparator.comparingLong(Operation::completedNanos))
            .toList();
    int good = 0;
    int bad = completed.size();
    while (bad - good > 1) {
      int middle = (good + bad) / 2;
      if (search(prefix(completed.subList(0, middle))).hasOrder()) {
        good = middle;
      } else {
        bad = middle;
      }
    }
    Operation last = completed.get(good);
    List<Operation> before = completed.subList(0, good);
    List<Operation> underWay =
        history.stream()
            .filter(each -> each.invokedNanos() <= last.completedNanos() && !each.equals(last))
            .filter(each -> !before.contains(each))
            .toList();
    return new Violation(last, before, underWay, search(prefix(before)).states());
  }

  /** What had been seen when these had completed. */
  private List<Operation> prefix(List<Operation> completed) {
    long endNanos = completed.isEmpty() ? 0 : completed.get(completed.size() - 1).completedNanos();
    Set<Operation> known = Collections.newSetFromMap(new IdentityHashMap<>());
    known.addAll(completed);
    return history.stream()
        .filter(each -> each.invokedNanos() <= endNanos)
        .map(each -> known.contains(each) ? each : each.withoutAnswer())
        .toList();
  }
}
