package io.pensieve.log;

import java.util.concurrent.CompletableFuture;

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
 * <p>When the log loses the leadership, it does this, in order:
 *
 * <ol>
 *   <li>It refuses appends. The numbers of what was appended and not applied are void.
 *   <li>It fails all who wait for such a number, with {@link LogException.OutcomeUnknown}, and from
 *       now on also all who begin to wait for one. (A caller's function may wait while it holds its
 *       key, and the next steps wait for that function.)
 *   <li>It calls {@link StandbyMap#demote}, then {@link StandbyMap#revert} for each lost change,
 *       the last one first, then {@link StandbyMap#reverted}.
 *   <li>It applies what other leaders have committed. If a lost change is among that, its number is
 *       no longer void from before it is applied.
 * </ol>
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
   * was never acknowledged, and no reader may return it. A reader calls this after it has found
   * that {@link #durableSequence} has reached the number, so a number must be void before that.
   * Must be fast: every read calls it.
   */
  boolean isVoid(long sequence);

  /**
   * Completes when it is certain that no other member had taken over before this call. Called after
   * a write that changed nothing, for what it found may be out of date: the log may not know yet
   * that it was ousted. A write that changes something needs no such check, because it is not
   * acknowledged then. Completes exceptionally with {@link LogException.OutcomeUnknown} otherwise.
   *
   * <p>By default it is complete: for a log that cannot be ousted.
   */
  default CompletableFuture<Void> confirmLead() {
    return CompletableFuture.completedFuture(null);
  }
}
