package io.pensieve.lru;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides what becomes of several keys as one, while all of them are locked. Must be quick: whoever
 * needs one of these keys waits for it, also to evict.
 */
@FunctionalInterface
public interface MultiKeyUpdateFunction<V> {

  /**
   * What is to become of a key; nothing of those without a step.
   *
   * @param key which one of the keys, counted from 0
   * @param action as in a {@link UpdateDecision}; a key that is absent is neither used nor removed
   * @param value the new value for {@link UpdateDecision.Action#WRITE}, otherwise null
   * @param weight what the entry then weighs
   * @param expiryMillis when it then expires; {@link Node#NEVER} if it does not
   */
  record KeyUpdate<V>(
      int key, UpdateDecision.Action action, @Nullable V value, int weight, long expiryMillis) {}

  /**
   * The decision; made once.
   *
   * @param present the entries of the keys, in the order of the keys; null for those that are
   *     absent
   * @param nowMillis the moment of the decision: what expires later was present then
   * @return at most one step a key, in the order in which the entries are used
   */
  List<KeyUpdate<V>> decide(List<Node.@Nullable Snapshot<V>> present, long nowMillis);
}
