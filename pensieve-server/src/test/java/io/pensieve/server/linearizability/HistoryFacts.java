package io.pensieve.server.linearizability;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/** What a whole history tells of its writes, those of unknown outcome above all. */
final class HistoryFacts {
  private final Map<Integer, Long> knownVersions;
  private final Map<Integer, Object> effects;
  private final BitSet optional;

  private HistoryFacts(
      Map<Integer, Long> knownVersions, Map<Integer, Object> effects, BitSet optional) {
    this.knownVersions = knownVersions;
    this.effects = effects;
    this.optional = optional;
  }

  static HistoryFacts of(List<Operation> operations) {
    Map<String, Integer> writesByValue = new HashMap<>();
    Map<String, Long> versionsRead = new HashMap<>();
    boolean valuesTellWrites = true;
    for (Operation each : operations) {
      if (each.request() instanceof Request.Put put) {
        writesByValue.merge(put.value(), 1, Integer::sum);
      } else if (each.request() instanceof Request.Increment) {
        valuesTellWrites = false;
      }
      if (each.answer() instanceof Answer.Found found) {
        versionsRead.put(found.value(), found.version());
      }
    }
    Map<Integer, Long> known = new HashMap<>();
    Map<Integer, Object> effects = new HashMap<>();
    BitSet optional = new BitSet();
    for (int i = 0; i < operations.size(); i++) {
      Operation each = operations.get(i);
      if (!each.isUnknown()) {
        long version = versionGiven(each.answer());
        if (version != KeyState.UNKNOWN) {
          known.put(i, version);
        }
        continue;
      }
      boolean isTold =
          valuesTellWrites
              && each.request() instanceof Request.Put put
              && writesByValue.getOrDefault(put.value(), 0) == 1;
      Long read = isTold ? versionsRead.get(((Request.Put) each.request()).value()) : null;
      if (read != null) {
        known.put(i, read);
      } else {
        optional.set(i);
        effects.put(i, isTold ? unreadEffect((Request.Put) each.request()) : each.request());
      }
    }
    return new HistoryFacts(known, effects, optional);
  }

  private static long versionGiven(Answer answer) {
    if (answer instanceof Answer.Written written) {
      return written.version();
    }
    return answer instanceof Answer.Sum sum ? sum.version() : KeyState.UNKNOWN;
  }

  /** Nobody has read the value: whichever it is makes no difference. */
  private static Object unreadEffect(Request.Put put) {
    return new Request.Put("", put.condition(), put.ttlNanos());
  }

  NavigableSet<Long> knownVersions() {
    return new TreeSet<>(knownVersions.values());
  }

  /** The version that an operation has given, or {@link KeyState#UNKNOWN}. */
  long knownVersionOf(int operation) {
    return knownVersions.getOrDefault(operation, KeyState.UNKNOWN);
  }

  /** Whether nothing tells that the operation took effect. */
  boolean isOptional(int operation) {
    return optional.get(operation);
  }

  /** Two optional operations with equal effects do the same. */
  Object effectOf(int operation) {
    return effects.getOrDefault(operation, operation);
  }

  BitSet optionalAmong(BitSet operations) {
    BitSet among = (BitSet) operations.clone();
    among.and(optional);
    return among;
  }
}
