package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.StandbyMap;
import io.pensieve.lru.Capacity;
import io.pensieve.lru.ChangeApplier;
import io.pensieve.lru.ChangeSink;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateResult;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A table as its replicated log changes it.
 *
 * <p>The versions of a node never decrease, because a reader relies on that: it loads a value, then
 * a version, which must be that of the value or a later one. So an entry that gets an older version
 * again gets a new node. The old one dies with the version that it had, by which its readers learn
 * that they saw a change that is void. In between, the key is absent for a moment. Whoever sees
 * that finds the lost version among the {@link RemovalWatermarks}, and learns the same.
 */
final class StandbyTable<K, V> implements StandbyMap<K, V> {
  private final LruTable<K, V> table;
  private final Capacity<K, V> capacity;
  private final LogChangeSink<K, V> journal;
  private final ChangeApplier<K, V> applier;
  private final RecentUses<K> uses = new RecentUses<>();

  private long version; // of the change that is being applied

  StandbyTable(LruTable<K, V> table, Capacity<K, V> capacity, LogChangeSink<K, V> journal) {
    this.table = table;
    this.capacity = capacity;
    this.journal = journal;
    this.applier = table.applier(new GivenVersions());
    demote();
  }

  // The log has these changes already.
  private final class GivenVersions implements ChangeSink<K, V> {
    @Override
    public long put(K key, V value, long expiryMillis) {
      return version;
    }

    @Override
    public long remove(K key) {
      return version;
    }

    @Override
    public long[] applyAtomically(List<KeyChange<K, V>> entries) {
      throw new UnsupportedOperationException("changes are applied one by one");
    }
  }

  /**
   * Records that a reader uses this key.
   *
   * @return whether the use counts: on a standby it does not
   */
  boolean recordUse(K key) {
    if (journal.isStandby()) {
      return false;
    }
    uses.record(key);
    return true;
  }

  @Override
  public void apply(long sequence, Change<K, V> change) {
    version = sequence;
    if (change instanceof Change.Put<K, V> put) {
      UpdateDecision<V> write = write(put);
      applier.update(
          put.key(), (current, present) -> present < sequence ? write : UpdateDecision.keep());
    } else if (change instanceof Change.Remove<K, V>) {
      applier.updatePresent(
          change.key(),
          (current, present) ->
              present < sequence ? UpdateDecision.remove() : UpdateDecision.keep());
    } else {
      applier.updatePresent(change.key(), UpdateDecision.touch());
    }
  }

  private UpdateDecision<V> write(Change.Put<K, V> put) {
    long weight = capacity.weigher().applyAsLong(put.key(), put.value());
    return UpdateDecision.writeUntil(put.value(), weight, put.expiryMillis());
  }

  @Override
  public @Nullable LiveEntry<K, V> entry(K key) {
    Node<K, V> node = table.find(key);
    Node.Snapshot<V> snapshot = node == null ? null : node.read();
    return node == null || snapshot == null
        ? null
        : new LiveEntry<>(
            new Change.Put<>(node.key(), snapshot.value(), snapshot.expiryMillis()),
            snapshot.version());
  }

  @Override
  public void revert(K key, @Nullable LiveEntry<K, V> before) {
    int stripe = RemovalWatermarks.stripe(key);
    long restored = before == null ? 0 : before.version();
    UpdateResult<V> left =
        applier.updatePresent(
            key,
            (current, lost) -> {
              if (lost == restored) {
                return UpdateDecision.keep();
              }
              journal.recordRemoval(stripe, lost);
              version = lost;
              return UpdateDecision.remove();
            });
    if (before != null && left.value() == null) {
      restore(before);
    }
  }

  private void restore(LiveEntry<K, V> before) {
    UpdateDecision<V> write = write(before.put());
    version = before.version();
    applier.update(before.put().key(), (current, present) -> write);
  }

  @Override
  public void reverted() {
    journal.endReverting();
  }

  @Override
  public void replaceAll(Iterator<LiveEntry<K, V>> coldestFirst) {
    Set<Node<K, V>> stay = Collections.newSetFromMap(new IdentityHashMap<>());
    coldestFirst.forEachRemaining(
        saved -> {
          K key = saved.put().key();
          replace(saved);
          Node<K, V> node = table.find(key);
          if (node != null) {
            stay.add(node);
          }
        });
    for (Node<K, V> node : table) {
      if (!stay.contains(node)) {
        removeAsItIs(node.key());
      }
    }
  }

  // The same put may be there already. It becomes the most recently used entry, as all others did.
  private void replace(LiveEntry<K, V> saved) {
    K key = saved.put().key();
    Node<K, V> node = table.find(key);
    if (node != null && node.version() > saved.version()) {
      removeAsItIs(key);
    }
    UpdateDecision<V> write = write(saved.put());
    version = saved.version();
    applier.update(
        key, (current, present) -> present == saved.version() ? UpdateDecision.touch() : write);
  }

  private void removeAsItIs(K key) {
    applier.updatePresent(
        key,
        (current, present) -> {
          version = present;
          return UpdateDecision.remove();
        });
  }

  @Override
  public void promote() {
    journal.setStandby(false);
    try {
      table.resumeRemovals();
    } catch (RuntimeException refused) {
      if (!journal.mayPostponeEviction(refused)) {
        throw refused;
      }
    }
  }

  @Override
  public void demote() {
    journal.setStandby(true);
    table.suspendRemovals();
  }

  @Override
  public void drainUses(Consumer<? super K> keys) {
    uses.drain(keys);
  }
}
