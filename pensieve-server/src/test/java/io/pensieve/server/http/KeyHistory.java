package io.pensieve.server.http;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What clients did with one key, and when; and whether there is an order of it, one after the
 * other, in which each answer is the right one and nothing comes before what had ended before it
 * began.
 */
final class KeyHistory {
  // As Wing and Gong do it: of all calls that could come first, since none that is left had ended
  // before they began, take one whose answer fits, and go on with the rest; if that leads nowhere,
  // take another one. A set of calls done that led nowhere from a state leads nowhere from it
  // again.

  private final List<Call> calls = new ArrayList<>();

  /** An entry, or version 0 for none. */
  record State(String value, long version) {
    static final State ABSENT = new State("", 0);

    boolean isPresent() {
      return version != 0;
    }
  }

  /** What was asked for, and what it says of the entry before and after, given the answer. */
  interface Call {
    long startNanos();

    long endNanos();

    /** The state behind it, if the answer is one that this state gives. */
    Optional<State> after(State before);
  }

  private record Place(BitSet done, State state) {}

  synchronized void add(Call call) {
    calls.add(call);
  }

  boolean isLinearizable() {
    List<Call> byStart = new ArrayList<>(calls);
    byStart.sort((a, b) -> Long.compare(a.startNanos(), b.startNanos()));
    return leadsToTheEnd(byStart, new BitSet(), State.ABSENT, new HashSet<>());
  }

  private static boolean leadsToTheEnd(
      List<Call> calls, BitSet done, State state, Set<Place> inVain) {
    if (done.cardinality() == calls.size()) {
      return true;
    }
    if (!inVain.add(new Place((BitSet) done.clone(), state))) {
      return false;
    }
    long firstEndNanos = Long.MAX_VALUE;
    for (int i = done.nextClearBit(0); i < calls.size(); i = done.nextClearBit(i + 1)) {
      Call call = calls.get(i);
      if (call.startNanos() > firstEndNanos) {
        return false; // neither this one nor a later one can come before what has ended
      }
      firstEndNanos = Math.min(firstEndNanos, call.endNanos());
      Optional<State> after = call.after(state);
      if (after.isPresent()) {
        done.set(i);
        if (leadsToTheEnd(calls, done, after.orElseThrow(), inVain)) {
          return true;
        }
        done.clear(i);
      }
    }
    return false;
  }
}
