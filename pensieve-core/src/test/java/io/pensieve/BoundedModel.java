package io.pensieve;

import io.pensieve.log.Change;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a map with bounds, weights and times should do, as plainly as can be said: an access-ordered
 * {@link LinkedHashMap}. An entry weighs its value modulo 10, in a unit that no int can hold.
 */
final class BoundedModel {
  private record Held(int value, long expiryMillis) {}

  static final long WEIGHT_UNIT = (1L << 52) + 1;

  private final Map<Integer, Held> entries = new LinkedHashMap<>(16, 0.75f, true);
  private final List<RemovalEvent> departed = new ArrayList<>();
  private int maximumEntries;
  private long maximumWeight;

  BoundedModel(int maximumEntries, long maximumWeight) {
    this.maximumEntries = maximumEntries;
    this.maximumWeight = maximumWeight;
  }

  static long weight(int value) {
    return Math.floorMod(value, 10) * WEIGHT_UNIT;
  }

  @Nullable Integer use(int key) {
    Held held = entries.get(key);
    return held == null ? null : Integer.valueOf(held.value);
  }

  @Nullable Integer peek(int key) {
    return entries.containsKey(key) ? copy().get(key) : null;
  }

  /** The entries, coldest first. */
  Map<Integer, Integer> copy() {
    Map<Integer, Integer> copy = new LinkedHashMap<>();
    entries.forEach((key, held) -> copy.put(key, held.value));
    return copy;
  }

  long weight() {
    return entries.values().stream().mapToLong(held -> weight(held.value)).sum();
  }

  boolean isTooHeavy(int value) {
    return weight(value) > maximumWeight;
  }

  @Nullable Integer write(int key, int value, long expiryMillis) {
    Held previous = entries.put(key, new Held(value, expiryMillis));
    evict();
    if (previous == null) {
      return null;
    }
    departed.add(new RemovalEvent(key, previous.value, RemovalCause.REPLACED));
    return previous.value;
  }

  /** Changes the value of an entry, which keeps its life. */
  void change(int key, int value) {
    Held held = entries.get(key);
    write(key, value, held == null ? Change.NEVER : held.expiryMillis);
  }

  @Nullable Integer remove(int key) {
    Held previous = entries.remove(key);
    if (previous == null) {
      return null;
    }
    departed.add(new RemovalEvent(key, previous.value, RemovalCause.REMOVED));
    return previous.value;
  }

  void expire(long nowMillis) {
    leave(RemovalCause.EXPIRED, held -> held.expiryMillis <= nowMillis);
  }

  /** The map is closed and opened again. */
  void restart(int newMaximumEntries, long newMaximumWeight, long nowMillis) {
    maximumEntries = newMaximumEntries;
    maximumWeight = newMaximumWeight;
    expire(nowMillis);
    leave(RemovalCause.EVICTED, held -> isTooHeavy(held.value));
    evict();
  }

  /** The bounds of the open map change, one after the other. */
  void changeBounds(int newMaximumEntries, long newMaximumWeight) {
    maximumEntries = newMaximumEntries;
    evict();
    maximumWeight = newMaximumWeight;
    leave(RemovalCause.EVICTED, held -> isTooHeavy(held.value));
    evict();
  }

  private void evict() {
    while (entries.size() > maximumEntries || weight() > maximumWeight) {
      Integer eldest = entries.keySet().iterator().next();
      departed.add(new RemovalEvent(eldest, entries.remove(eldest).value, RemovalCause.EVICTED));
    }
  }

  private interface Condition {
    boolean isMet(Held held);
  }

  private void leave(RemovalCause cause, Condition condition) {
    Iterator<Map.Entry<Integer, Held>> all = entries.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<Integer, Held> entry = all.next();
      if (condition.isMet(entry.getValue())) {
        departed.add(new RemovalEvent(entry.getKey(), entry.getValue().value, cause));
        all.remove();
      }
    }
  }

  /** What has left since this was called last. */
  List<RemovalEvent> departed() {
    List<RemovalEvent> list = List.copyOf(departed);
    departed.clear();
    return list;
  }
}
