package io.pensieve.log;

import io.pensieve.log.LiveEntries.LiveEntry;
import java.util.Iterator;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A map as its {@link ReplicatedLog} sees it. The log calls these methods one at a time, never
 * within {@link Log#append} except for {@link #entry}. All but {@code entry} may wait for the map's
 * writers, so the log must hold no lock that {@code append} needs.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface StandbyMap<K, V> {

  /**
   * Applies a change that is already acknowledged. The log's {@link Log#durableSequence} has
   * reached its sequence number. Has no effect if the key's entry has this version or a later one.
   * A touch makes the entry the most recently used one, if there is one; its sequence number does
   * not matter.
   *
   * <p>A change stream of the log may deliver the change only after this method has returned.
   */
  void apply(long sequence, Change<K, V> change);

  /**
   * Returns the entry of a key as the map holds it: acknowledged or not, expired or not; null if
   * there is none. Never waits. Within {@link Log#append} it is the entry that the change replaces.
   */
  @Nullable LiveEntry<K, V> entry(K key);

  /**
   * Undoes a change that was appended and never acknowledged: the key has this entry again, or
   * none. Waits until the change is visible if its writer is still at work. To be called for the
   * last change first, after {@link #demote} and before {@link #reverted}. A second call for the
   * same change does no harm.
   *
   * @param before what {@link #entry} returned within the append of that change
   */
  void revert(K key, @Nullable LiveEntry<K, V> before);

  /**
   * Ends a series of {@link #revert}. Until then a reader that finds a key absent may have to wait
   * for a lost change, and then learns that it is void. Not needed if nothing was reverted.
   */
  void reverted();

  /**
   * Replaces all entries by those of a saved state. Readers may see a mixture meanwhile.
   *
   * @param coldestFirst the entries, the least recently used first
   */
  void replaceAll(Iterator<LiveEntry<K, V>> coldestFirst);

  /**
   * Makes this an ordinary map: from now on it expires entries and evicts those beyond its bounds,
   * and appends that to the log, which must take it.
   */
  void promote();

  /**
   * Makes this a standby again. The log refuses appends already. Afterwards the map starts no
   * eviction and no expiry.
   */
  void demote();

  /**
   * Delivers keys that reads have used since the last call, while this was an ordinary map. It is a
   * sample: a key that is used again and again comes seldom, and keys may be missing. Any thread
   * may call this, one at a time.
   *
   * @param keys receives the keys, the last used one last
   */
  void drainUses(Consumer<? super K> keys);
}
