package io.pensieve.server.linearizability;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Histories that a model made are good. Those that were changed a little are good or bad as trying
 * every order finds them.
 */
@Tag(Depth.TAG)
final class RandomHistoriesTest {
  private static final int LONG_HISTORIES = Depth.of(2, 10, 400);
  private static final int LONG_OPERATIONS = Depth.of(300, 2_000, 2_000);
  private static final int SHORT_HISTORIES = Depth.of(300, 20_000, 500_000);
  private static final int SHORT_OPERATIONS = 7;
  private static final long SEED = Seed.choose();

  private final Random random = new Random(SEED);

  private static Optional<Violation> check(List<Operation> history) {
    return LinearizabilityChecker.check(history, Duration.ZERO);
  }

  private static String named(List<Operation> history) {
    StringBuilder all = new StringBuilder("seed " + SEED + "\n");
    history.forEach(each -> all.append(each).append('\n'));
    return all.toString();
  }

  @Test
  void longHistoriesOfAModelAreGood() {
    for (int i = 0; i < LONG_HISTORIES; i++) {
      List<Operation> history =
          new ModelHistory(random, 2 + random.nextInt(14), random.nextBoolean())
              .make(LONG_OPERATIONS, 0.01);
      Optional<Violation> found = check(history);
      assertEquals(Optional.empty(), found, () -> "seed " + SEED);
    }
  }

  @Test
  void aLongHistoryIsBadWhenAReadIsOlderThanTheOneBefore() {
    for (int i = 0; i < LONG_HISTORIES; i++) {
      List<Operation> history = new ModelHistory(random, 8, false).make(LONG_OPERATIONS, 0.005);
      List<Operation> found =
          history.stream().filter(each -> each.answer() instanceof Answer.Found).toList();
      Operation old = found.get(random.nextInt(found.size() / 2));
      long end =
          history.stream()
              .filter(each -> !each.isUnknown())
              .mapToLong(Operation::completedNanos)
              .max()
              .orElseThrow();
      Operation overwrite =
          new Operation(
              "late",
              new Request.Put("late", Request.ANY_VERSION, 0),
              new Answer.Written(1L << 40, true),
              0,
              end);
      Operation stale = new Operation("late", old.request(), old.answer(), end + 1, end + 2);
      history.add(overwrite);
      history.add(stale);
      assertTrue(check(history).isPresent(), () -> "seed " + SEED);
    }
  }

  @Test
  void shortHistoriesAreWhatEveryOrderSaysThatTheyAre() {
    int bad = 0;
    for (int i = 0; i < SHORT_HISTORIES; i++) {
      List<Operation> good =
          new ModelHistory(random, 2 + random.nextInt(3), random.nextBoolean())
              .make(SHORT_OPERATIONS, 0.25);
      assertEquals(Optional.empty(), check(good), () -> named(good));
      List<Operation> changed = mutated(good);
      boolean isBad = check(changed).isPresent();
      assertTrue(isBad ? !hasOrder(changed, true) : hasOrder(changed, false), () -> named(changed));
      bad += isBad ? 1 : 0;
    }
    assertTrue(bad > SHORT_HISTORIES / 20, "only " + bad + " bad ones, seed " + SEED);
  }

  /** Another answer, answers of two exchanged, or one left out. */
  private List<Operation> mutated(List<Operation> good) {
    List<Operation> changed = new ArrayList<>(good);
    int one = random.nextInt(changed.size());
    int other = random.nextInt(changed.size());
    Operation first = changed.get(one);
    Operation second = changed.get(other);
    switch (random.nextInt(4)) {
      case 0 -> changed.remove(one);
      case 1 -> {
        changed.set(one, answered(first, second.answer()));
        changed.set(other, answered(second, first.answer()));
      }
      case 2 -> changed.set(one, moved(first, random.nextInt(4_000) - 2_000));
      default -> changed.set(one, answered(first, altered(first.answer())));
    }
    return changed;
  }

  private static Operation answered(Operation operation, Answer answer) {
    boolean fits = operation.answer().getClass() == answer.getClass();
    return fits
        ? new Operation(
            operation.client(),
            operation.request(),
            answer,
            operation.invokedNanos(),
            operation.completedNanos())
        : operation;
  }

  private static Operation moved(Operation operation, long nanos) {
    return new Operation(
        operation.client(),
        operation.request(),
        operation.answer(),
        operation.invokedNanos() + nanos,
        operation.isUnknown() ? Operation.NEVER : operation.completedNanos() + nanos);
  }

  private Answer altered(Answer answer) {
    long by = random.nextLong(3) - 1;
    if (answer instanceof Answer.Written written) {
      return new Answer.Written(written.version() + by, written.isNew() ^ (by == 0));
    }
    if (answer instanceof Answer.Found found) {
      return new Answer.Found(found.value(), found.version() + by);
    }
    if (answer instanceof Answer.Sum sum) {
      return new Answer.Sum(sum.value() + by, sum.version());
    }
    return answer instanceof Answer.ConditionFailed failed
        ? new Answer.ConditionFailed(Math.max(0, failed.version() + by))
        : answer;
  }

  /**
   * Tries every order, and every choice of the operations of unknown outcome.
   *
   * @param inTime whether the moments at which they take effect must follow one another, too: one
   *     that finds an entry expired is then not before one that completes before it can expire. The
   *     checker looks at that for some operations only.
   */
  private static boolean hasOrder(List<Operation> history, boolean inTime) {
    HistoryFacts facts = HistoryFacts.of(history);
    Register register = new Register(facts.knownVersions(), 0);
    long begin = Long.MIN_VALUE;
    return hasOrder(history, new BitSet(), KeyState.INITIAL, begin, inTime, facts, register);
  }

  private static boolean hasOrder(
      List<Operation> history,
      BitSet done,
      KeyState state,
      long nowNanos,
      boolean inTime,
      HistoryFacts facts,
      Register register) {
    boolean isEnd = true;
    for (int i = 0; i < history.size(); i++) {
      Operation operation = history.get(i);
      if (done.get(i)) {
        continue;
      }
      isEnd &= operation.isUnknown();
      long nanos = Math.max(nowNanos, operation.invokedNanos());
      if (isAfterAnother(operation, history, done) || nanos > operation.completedNanos()) {
        continue;
      }
      BitSet more = (BitSet) done.clone();
      more.set(i);
      Operation from = invokedAt(operation, nanos);
      List<KeyState> all = register.after(state, from, facts.knownVersionOf(i));
      boolean mayExpire =
          state.isPresent() && operation.completedNanos() >= state.expiresFromNanos();
      List<KeyState> expired =
          mayExpire
              ? register.after(state.removed(), from, facts.knownVersionOf(i))
              : List.of(); // the last ones of all
      for (int j = 0; j < all.size(); j++) {
        boolean isExpired = j >= all.size() - expired.size();
        long next = isExpired ? Math.max(nanos, state.expiresFromNanos()) : nanos;
        long now = inTime ? next : nowNanos;
        if (hasOrder(history, more, all.get(j), now, inTime, facts, register)) {
          return true;
        }
      }
    }
    return isEnd;
  }

  private static Operation invokedAt(Operation operation, long nanos) {
    return new Operation(
        operation.client(),
        operation.request(),
        operation.answer(),
        nanos,
        operation.completedNanos());
  }

  private static boolean isAfterAnother(Operation operation, List<Operation> history, BitSet done) {
    for (int i = 0; i < history.size(); i++) {
      if (!done.get(i) && history.get(i).completedNanos() < operation.invokedNanos()) {
        return true;
      }
    }
    return false;
  }
}
