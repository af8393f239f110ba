package io.pensieve.log;

/**
 * A log whose changes are also made elsewhere, by the leader of a cluster or by another server. A
 * map opened on it begins as a <em>standby</em>: it can be read, and changes only as the log
 * applies changes to it. It neither evicts nor expires entries by itself. When the log {@linkplain
 * StandbyMap#promote promotes} it, it becomes an ordinary map, until the log {@linkplain
 * StandbyMap#demote demotes} it again.
 *
 * <p>{@link #append} throws {@link LogException.ReadOnly} while the map is a standby. Sequence
 * numbers may have gaps, and are never given twice: a log that loses changes to another leader
 * continues above all numbers it gave them, and calls them {@linkplain #isVoid void}.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface ReplicatedLog<K, V> extends Log<K, V> {

  /**
   * Gives the log its map, as a standby. Called once, after {@link #attach}. From now on the log
   * may apply changes, also before this method returns.
   */
  void follow(StandbyMap<K, V> map);

  /**
   * Whether this log gave out the sequence number for a change that was lost later. Such a change
   * was never acknowledged, and no reader may return it. A reader calls this after it has waited
   * for the sequence. Must be fast.
   */
  boolean isVoid(long sequence);
}
