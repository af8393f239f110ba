package io.pensieve.replication;

import io.pensieve.log.Change;
import io.pensieve.replication.format.EntryEncoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Chooses the keys whose use the log replicates, so that the next leader evicts about as this one
 * would. Used by the packer's thread.
 *
 * <p>Few and late: a use matters only to an entry that would be evicted soon. So a key is touched
 * again only after a quarter as many puts as the map has entries, and the touches of an entry take
 * at most a twentieth of its bytes. Of the keys that are due, the last used ones go first.
 */
final class Touches<K, V> {
  private static final int BYTES_SHARE = 20;
  private static final int AGE_SHARE = 4;
  private static final int BATCH_SHARE = 50; // a large batch at once would disorder a small map
  private static final int BATCH_MAX = 256;
  private static final int BUDGET_BYTES_MAX = 16 << 10;
  private static final int DUE_MAX = 4096;
  private static final int PLACES_MAX = 1 << 20;

  private final EntryEncoder<K, V> encoder;
  private final Consumer<Consumer<K>> drainUses;
  private final int ageMin;
  private final int batchMax;

  // When a key of this hash was last put or touched, in puts. Keys may share a place: then one of
  // them is touched too late.
  private final int[] loggedAt;
  private final Set<K> due = new LinkedHashSet<>(); // the last used one last
  private int puts;
  private long budgetBytes;

  /**
   * Touches for a map of about so many entries.
   *
   * @param drainUses delivers the keys that were used
   */
  Touches(EntryEncoder<K, V> encoder, long mapEntries, Consumer<Consumer<K>> drainUses) {
    this.encoder = encoder;
    this.drainUses = drainUses;
    ageMin = (int) Math.min(Integer.MAX_VALUE / 2, mapEntries / AGE_SHARE);
    batchMax = (int) Math.max(1, Math.min(BATCH_MAX, mapEntries / BATCH_SHARE));
    int places = (int) Math.min(PLACES_MAX, Math.max(64, 2 * mapEntries));
    loggedAt = new int[Integer.highestOneBit(places)];
    Arrays.fill(loggedAt, -ageMin);
  }

  /**
   * Adds touches to an entry of changes.
   *
   * @param isLoaded whether there is more to replicate than the cluster can take: then none
   */
  void addTo(ProposedEntry<K, V> entry, boolean isLoaded) {
    long bytes = 0;
    for (UncommittedUpdate<K, V> update : entry.updates()) {
      bytes += update.bytes();
      update.changes().forEach(this::recordChange);
    }
    drainUses.accept(this::recordUse);
    if (isLoaded) {
      due.clear();
      budgetBytes = 0;
      return;
    }
    budgetBytes = Math.min(BUDGET_BYTES_MAX, budgetBytes + bytes / BYTES_SHARE);
    entry.items().addAll(take());
  }

  private void recordChange(Change<K, V> change) {
    if (change instanceof Change.Put) {
      puts++;
      loggedAt[place(change.key())] = puts;
    }
    due.remove(change.key());
  }

  private void recordUse(K key) {
    if (puts - loggedAt[place(key)] >= ageMin) {
      due.remove(key); // to be the last one
      due.add(key);
    }
  }

  private List<byte[]> take() {
    List<byte[]> taken = new ArrayList<>();
    List<K> candidates = new ArrayList<>(due);
    for (int i = candidates.size() - 1; i >= 0 && taken.size() < batchMax; i--) {
      byte[] item = encoder.item(new Change.Touch<>(candidates.get(i)));
      if (item.length > budgetBytes) {
        break;
      }
      budgetBytes -= item.length;
      loggedAt[place(candidates.get(i))] = puts;
      due.remove(candidates.get(i));
      taken.add(0, item); // the last used one last
    }
    dropOldest(candidates);
    return taken;
  }

  private void dropOldest(List<K> oldestFirst) {
    for (int i = 0; due.size() > DUE_MAX; i++) {
      due.remove(oldestFirst.get(i));
    }
  }

  private int place(K key) {
    int hash = Objects.hashCode(key) * 0x9E3779B9;
    return (hash ^ hash >>> 16) & loggedAt.length - 1;
  }
}
