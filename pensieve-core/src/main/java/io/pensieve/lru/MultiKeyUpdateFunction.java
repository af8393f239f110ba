package io.pensieve.lru;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides about several keys atomically, while all of them are locked. Must be fast: every thread
 * that needs one of these keys waits, evictors included.
 */
@FunctionalInterface
public interface MultiKeyUpdateFunction<V> {

  /**
   * The decision about one key. Keys without such a step stay as they are.
   *
   * @param key the index of the key, from 0
   * @param action as in a {@link UpdateDecision}; an absent key is neither used nor removed
   * @param value the value for {@link UpdateDecision.Action#WRITE} and {@link
   *     UpdateDecision.Action#EXTEND}, otherwise null
   * @param weight the new weight of the entry
   * @param expiryMillis when the entry then expires; {@link Node#NEVER} if it does not
   */
  record KeyUpdate<V>(
      int key, UpdateDecision.Action action, @Nullable V value, long weight, long expiryMillis) {}

  /**
   * Decides. Called once.
   *
   * @param present the entries of the keys, in the order of the keys; null for absent keys
   * @param nowMillis the time of the decision: an entry that expires later was present
   * @return at most one step for each key, in the order in which the entries are used
   */
  List<KeyUpdate<V>> decide(List<Node.@Nullable Snapshot<V>> present, long nowMillis);
}
