package io.pensieve.server.linearizability;

import io.pensieve.server.linearizability.Answer.ConditionFailed;
import io.pensieve.server.linearizability.Answer.Found;
import io.pensieve.server.linearizability.Answer.Holds;
import io.pensieve.server.linearizability.Answer.Missing;
import io.pensieve.server.linearizability.Answer.NotANumber;
import io.pensieve.server.linearizability.Answer.Removed;
import io.pensieve.server.linearizability.Answer.Sum;
import io.pensieve.server.linearizability.Answer.Written;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a correct map does with one key: which states an operation may lead to, given its answer.
 * None, if no correct map could have given this answer in that state.
 */
final class Register {
  // Each write gives a larger version than all before it. So the writes whose versions are known
  // have one order only, and a state from which the next of them was left out leads nowhere.

  private final NavigableSet<Long> knownVersions;
  private final long clockErrorNanos;

  /**
   * @param knownVersions those of all writes of the history that have one
   * @param clockErrorNanos how much earlier or later than its time an entry may expire
   */
  Register(NavigableSet<Long> knownVersions, long clockErrorNanos) {
    this.knownVersions = knownVersions;
    this.clockErrorNanos = clockErrorNanos;
  }

  /**
   * The states after an operation. If its outcome is unknown, those after it was done.
   *
   * @param knownVersion the version that the operation gave, or {@link KeyState#UNKNOWN}
   */
  List<KeyState> after(KeyState before, Operation operation, long knownVersion) {
    List<KeyState> after = new ArrayList<>(2);
    if (operation.invokedNanos() <= before.expiresUntilNanos()) {
      afterNow(before, operation, knownVersion).ifPresent(after::add);
    }
    if (operation.completedNanos() >= before.expiresFromNanos() && before.isPresent()) {
      afterNow(before.removed(), operation, knownVersion).ifPresent(after::add);
    }
    return after;
  }

  private Optional<KeyState> afterNow(KeyState now, Operation operation, long knownVersion) {
    Request request = operation.request();
    if (operation.isUnknown()) {
      return afterUnknown(now, operation, knownVersion);
    }
    if (operation.answer() instanceof ConditionFailed failed) {
      long asked = condition(request);
      boolean canFail = asked != Request.ANY_VERSION && asked != failed.version();
      return canFail ? seen(now, failed.version()) : Optional.empty();
    }
    if (request instanceof Request.Get) {
      return afterGet(now, operation.answer());
    }
    if (request instanceof Request.Check check) {
      return operation.answer() instanceof Holds ? seen(now, check.version()) : Optional.empty();
    }
    if (request instanceof Request.Put put) {
      return afterPut(now, put, operation);
    }
    if (request instanceof Request.Delete delete) {
      return operation.answer() instanceof Removed
          ? met(now, delete.condition()).map(KeyState::removed)
          : Optional.empty();
    }
    return afterIncrement(now, (Request.Increment) request, operation.answer());
  }

  private static long condition(Request request) {
    if (request instanceof Request.Put put) {
      return put.condition();
    }
    if (request instanceof Request.Delete delete) {
      return delete.condition();
    }
    return request instanceof Request.Check check ? check.version() : Request.ANY_VERSION;
  }

  private Optional<KeyState> afterGet(KeyState now, Answer answer) {
    if (answer instanceof Found found) {
      return now.isPresent() && now.value().equals(found.value())
          ? seen(now, found.version())
          : Optional.empty();
    }
    return answer instanceof Missing && !now.isPresent() ? Optional.of(now) : Optional.empty();
  }

  private Optional<KeyState> afterPut(KeyState now, Request.Put put, Operation operation) {
    if (!(operation.answer() instanceof Written written)) {
      return Optional.empty();
    }
    return met(now, put.condition())
        .filter(met -> written.isNew() != met.isPresent() && isNext(met, written.version()))
        .map(met -> stored(put, operation, written.version(), written.version()));
  }

  private Optional<KeyState> afterIncrement(
      KeyState now, Request.Increment increment, Answer answer) {
    OptionalLong sum = sum(now, increment);
    if (answer instanceof NotANumber) {
      return sum.isEmpty() ? Optional.of(now) : Optional.empty();
    }
    boolean fits =
        answer instanceof Sum told
            && sum.isPresent()
            && sum.getAsLong() == told.value()
            && isNext(now, told.version());
    return fits
        ? Optional.of(now.withValue(Long.toString(sum.getAsLong()), ((Sum) answer).version()))
        : Optional.empty();
  }

  private Optional<KeyState> afterUnknown(KeyState now, Operation operation, long version) {
    if (version != KeyState.UNKNOWN && !isNext(now, version)) {
      return Optional.empty();
    }
    Request request = operation.request();
    if (request instanceof Request.Put put) {
      return met(now, put.condition())
          .map(met -> stored(put, operation, version, Math.max(met.floor(), version)));
    }
    if (request instanceof Request.Delete delete) {
      return met(now, delete.condition()).filter(KeyState::isPresent).map(KeyState::removed);
    }
    if (request instanceof Request.Increment increment) {
      OptionalLong sum = sum(now, increment);
      return sum.isPresent()
          ? Optional.of(now.withValue(Long.toString(sum.getAsLong()), version))
          : Optional.empty();
    }
    return Optional.empty();
  }

  private KeyState stored(Request.Put put, Operation operation, long version, long floor) {
    if (put.ttlNanos() == 0) {
      return new KeyState(put.value(), version, floor, KeyState.NEVER, KeyState.NEVER);
    }
    long from = operation.invokedNanos() + put.ttlNanos() - clockErrorNanos;
    long until =
        operation.isUnknown()
            ? KeyState.NEVER
            : operation.completedNanos() + put.ttlNanos() + clockErrorNanos;
    return new KeyState(put.value(), version, floor, from, until);
  }

  /** The state, if the condition of a write holds in it. */
  private Optional<KeyState> met(KeyState now, long condition) {
    return condition == Request.ANY_VERSION ? Optional.of(now) : seen(now, condition);
  }

  /** The state, if the entry can have this version; 0 is that of no entry. */
  private Optional<KeyState> seen(KeyState now, long version) {
    if (now.version() == version) {
      return Optional.of(now);
    }
    boolean couldBe =
        now.version() == KeyState.UNKNOWN && version > now.floor() && version < next(now);
    return couldBe ? Optional.of(now.withVersion(version)) : Optional.empty();
  }

  private boolean isNext(KeyState now, long version) {
    return version > now.floor() && version <= next(now);
  }

  private long next(KeyState now) {
    Long next = knownVersions.higher(now.floor());
    return next == null ? Long.MAX_VALUE : next;
  }

  private static OptionalLong sum(KeyState now, Request.Increment increment) {
    try {
      long before = now.isPresent() ? Long.parseLong(now.value()) : 0;
      return OptionalLong.of(Math.addExact(before, increment.by()));
    } catch (ArithmeticException | NumberFormatException noSum) {
      return OptionalLong.empty();
    }
  }
}
