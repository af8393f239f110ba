package io.pensieve.server.linearizability;

import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Collectors;

/** Looks once for an order of the operations on a key. */
final class OrderSearch {
  // The search is that of Wing and Gong with the memory of Lowe ("Testing for linearizability",
  // 2017), operation by operation as they complete: the frontier holds every state that the key can
  // have then, with the operations under way that took effect already. An operation takes effect as
  // late as it can: when it completes itself, or when one that completes needs it.
  //
  // Three rules keep the frontier small, and lose no order:
  // 1. An operation that never changes anything takes effect as soon as it fits.
  // 2. One of unknown outcome takes effect only if the next one needs it: leads elsewhere without.
  // 3. Of several of unknown outcome that do the same, the one invoked first takes effect first.

  private static final int STEPS_PER_WIDTH = 32;
  private static final int WIDTH_PER_USE = 32;

  private final List<Operation> operations;
  private final HistoryFacts facts;
  private final Register register;
  private final int width;
  private final BitSet pending = new BitSet();
  private Set<Configuration> frontier = new LinkedHashSet<>();
  private boolean isNarrowed;
  private boolean hasOrder;

  /** A state that the key can have, and the pending operations that led there. */
  private record Configuration(KeyState state, BitSet done) {
    Configuration with(int operation, KeyState after) {
      BitSet more = (BitSet) done.clone();
      more.set(operation);
      return new Configuration(after, more);
    }

    Configuration without(int operation) {
      BitSet fewer = (BitSet) done.clone();
      fewer.clear(operation);
      return new Configuration(state, fewer);
    }
  }

  /**
   * A configuration on the way.
   *
   * @param skipped the state before its last operation, if the next one must need that
   * @param used how many of unknown outcome it needs
   */
  private record Step(Configuration reached, Optional<KeyState> skipped, int used) {}

  private record Event(int operation, long nanos, boolean isCompletion) {}

  /**
   * @param clockError how much earlier or later than its time an entry may expire
   * @param width how many configurations the search keeps
   */
  OrderSearch(List<Operation> history, Duration clockError, int width) {
    operations =
        history.stream()
            .filter(operation -> !(operation.isUnknown() && isRead(operation.request())))
            .sorted(Comparator.comparingLong(Operation::invokedNanos))
            .toList();
    facts = HistoryFacts.of(operations);
    register = new Register(facts.knownVersions(), clockError.toNanos());
    this.width = width;
    frontier.add(new Configuration(KeyState.INITIAL, new BitSet()));
  }

  private static boolean isRead(Request request) {
    return request instanceof Request.Get || request instanceof Request.Check;
  }

  void run() {
    for (Event event : events()) {
      if (!event.isCompletion()) {
        pending.set(event.operation());
        continue;
      }
      frontier = afterCompletionOf(event.operation());
      if (frontier.isEmpty()) {
        return;
      }
      pending.clear(event.operation());
    }
    hasOrder = true;
  }

  /** Whether the search has found an order. */
  boolean hasOrder() {
    return hasOrder;
  }

  /** Whether the search has left something out, so that it may have missed an order. */
  boolean isNarrowed() {
    return isNarrowed;
  }

  /** What the key can hold behind the last completion. */
  List<String> states() {
    return frontier.stream().map(each -> each.state().toString()).distinct().sorted().toList();
  }

  private List<Event> events() {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      events.add(new Event(i, operation.invokedNanos(), false));
      if (!operation.isUnknown()) {
        events.add(new Event(i, operation.completedNanos(), true));
      }
    }
    // Of the same moment, invocations come first: then the two may have overlapped.
    events.sort(Comparator.comparingLong(Event::nanos).thenComparing(Event::isCompletion));
    return events;
  }

  /** All configurations in which this operation has taken effect, and is no longer counted. */
  private Set<Configuration> afterCompletionOf(int target) {
    Set<Step> seen = new HashSet<>();
    Queue<Step> open = new PriorityQueue<>(Comparator.comparingInt(Step::used));
    frontier.forEach(start -> open.add(new Step(start, Optional.empty(), usedBy(start))));
    Set<Configuration> reached = new LinkedHashSet<>();
    int fewest = Integer.MAX_VALUE;
    while (!open.isEmpty()) {
      Step step = withReadsDone(open.remove());
      if (!seen.add(step)) {
        continue;
      }
      fewest = step.reached().done().get(target) ? Math.min(fewest, step.used()) : fewest;
      boolean isFar = fewest != Integer.MAX_VALUE && step.used() > fewest + width / WIDTH_PER_USE;
      if (isFar || seen.size() > width * STEPS_PER_WIDTH) {
        isNarrowed = true;
        break;
      }
      if (step.reached().done().get(target)) {
        reached.add(step.reached().without(target));
      } else {
        open.addAll(stepsFrom(step));
      }
    }
    return narrowed(leastUsed(reached));
  }

  private int usedBy(Configuration configuration) {
    return facts.optionalAmong(configuration.done()).cardinality();
  }

  private Step withReadsDone(Step step) {
    Configuration here = step.reached();
    BitSet more = (BitSet) here.done().clone();
    for (int i = pending.nextSetBit(0); i >= 0; i = pending.nextSetBit(i + 1)) {
      boolean isOpen = !more.get(i) && isPassive(operations.get(i).answer());
      if (isOpen && after(here.state(), i).equals(List.of(here.state()))) {
        more.set(i);
      }
    }
    return more.equals(here.done())
        ? step
        : new Step(new Configuration(here.state(), more), Optional.empty(), step.used());
  }

  /** Whether an operation with this answer changes nothing wherever it takes effect. */
  private static boolean isPassive(Answer answer) {
    return !(answer instanceof Answer.Written
        || answer instanceof Answer.Sum
        || answer instanceof Answer.Removed
        || answer instanceof Answer.Unknown);
  }

  private List<KeyState> after(KeyState before, int operation) {
    return register.after(before, operations.get(operation), facts.knownVersionOf(operation));
  }

  private List<Step> stepsFrom(Step step) {
    Configuration here = step.reached();
    List<Step> steps = new ArrayList<>();
    Set<Object> effectsTried = new HashSet<>();
    for (int i = pending.nextSetBit(0); i >= 0; i = pending.nextSetBit(i + 1)) {
      boolean isOptional = facts.isOptional(i);
      if (here.done().get(i) || (isOptional && !effectsTried.add(facts.effectOf(i)))) {
        continue;
      }
      List<KeyState> withoutSkipped =
          step.skipped().isEmpty() ? List.of() : after(step.skipped().orElseThrow(), i);
      for (KeyState after : after(here.state(), i)) {
        if (!withoutSkipped.contains(after)) {
          steps.add(
              new Step(
                  here.with(i, after),
                  isOptional ? Optional.of(here.state()) : Optional.empty(),
                  step.used() + (isOptional ? 1 : 0)));
        }
      }
    }
    return steps;
  }

  /** Leaves out each configuration that needs all that another one needs, and more. */
  private List<Configuration> leastUsed(Set<Configuration> all) {
    Map<Configuration, List<BitSet>> keptByRest = new HashMap<>();
    List<Configuration> least = new ArrayList<>();
    for (Configuration each : all.stream().sorted(Comparator.comparingInt(this::usedBy)).toList()) {
      BitSet used = facts.optionalAmong(each.done());
      BitSet rest = (BitSet) each.done().clone();
      rest.andNot(used);
      List<BitSet> kept =
          keptByRest.computeIfAbsent(
              new Configuration(each.state(), rest), unknown -> new ArrayList<>());
      if (kept.stream().noneMatch(fewer -> isSubset(fewer, used))) {
        kept.add(used);
        least.add(each);
      }
    }
    return least;
  }

  private static boolean isSubset(BitSet small, BitSet large) {
    BitSet rest = (BitSet) small.clone();
    rest.andNot(large);
    return rest.isEmpty();
  }

  private Set<Configuration> narrowed(List<Configuration> all) {
    isNarrowed |= all.size() > width;
    return all.stream().limit(width).collect(Collectors.toCollection(LinkedHashSet::new));
  }
}
