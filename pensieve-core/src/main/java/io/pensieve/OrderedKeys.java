package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Iterator;
import java.util.NavigableSet;
import java.util.NoSuchElementException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a map in the order that it was {@linkplain PensieveBuilder#orderKeys built} to keep:
 * a read-only view.
 *
 * <p>Iterators are weakly consistent. A key that is present throughout comes exactly once. A key
 * that is added or removed meanwhile may come or not. Iterators block no other thread, however
 * slowly they are read, and take little memory. They wait until the log has acknowledged a key's
 * value before they return the key. Listing keys does not count as a use of their entries.
 *
 * @param <K> the type of keys
 */
public final class OrderedKeys<K> implements Iterable<K> {
  /** A {@link Presence#version} of a key whose value has expired, but not for certain. */
  static final long UNCERTAIN = -1;

  private final NavigableSet<K> keys;
  private final Presence<K> presence;
  private final Consumer<? super K> onUncertain;

  /** Tells which keys have values, and waits until that is durable. */
  interface Presence<K> {
    /** Whether a change can be appended and not yet durable. */
    boolean mayWait();

    /** A number for {@link #await}, read before the keys are. */
    long era();

    /**
     * The version of the key's value, or 0 if it has none. {@link #UNCERTAIN} if it has expired on
     * a standby, whose log has not removed it yet.
     */
    long version(K key);

    /** Waits until values up to this version, and all absences observed so far, are durable. */
    void await(long version, long era);
  }

  /** Tells listings of keys which of them a table has. */
  record TablePresence<K, V>(LruTable<K, V> table, LogChangeSink<K, V> journal)
      implements Presence<K> {

    /**
     * Whether a node that shows no value has one nevertheless, which only the log of a standby may
     * remove.
     *
     * <p>Invariant: whoever decides by this has found the map to be a standby before it looked at
     * the value. Otherwise the map may be promoted in between: then it has all changes of earlier
     * leads, but the look may have come before the last of them.
     */
    static boolean isHeld(@Nullable Node<?, ?> node) {
      return node != null && node.value() != null;
    }

    @Override
    public boolean mayWait() {
      return journal.mayWait();
    }

    @Override
    public long era() {
      return journal.era();
    }

    @Override
    public long version(K key) {
      boolean onStandby = journal.isStandby();
      Node<K, V> node = table.find(key);
      if (node != null && table.value(node) != null) {
        return node.version();
      }
      return onStandby && isHeld(node) ? UNCERTAIN : 0;
    }

    @Override
    public void await(long version, long era) {
      journal.awaitValue(version);
      journal.awaitAbsences();
      journal.checkEra(era);
    }
  }

  /**
   * Creates a view.
   *
   * @param keys all keys that have values, and perhaps others
   */
  OrderedKeys(NavigableSet<K> keys, Presence<K> presence) {
    this(keys, presence, key -> {});
  }

  private OrderedKeys(NavigableSet<K> keys, Presence<K> presence, Consumer<? super K> onUncertain) {
    this.keys = keys;
    this.presence = presence;
    this.onUncertain = onUncertain;
  }

  /**
   * Returns a view of the same keys whose iterators report which keys they skip without certainty.
   * On a standby (see {@link io.pensieve.log.ReplicatedLog}) a key is skipped if its entry has
   * expired by the clock of this node, also if the log has not removed it yet. By the clock of the
   * node that leads, it may have been replaced before that, and the change may still be on its way
   * here. Only that node knows: see {@link PendingRead#expired}. Other maps report nothing.
   *
   * @param listener called by iterators, on their thread, for each such key, perhaps some keys
   *     ahead; what it throws, {@code hasNext} and {@code next} throw
   */
  public OrderedKeys<K> reportUncertain(Consumer<? super K> listener) {
    return new OrderedKeys<>(keys, presence, requireNonNull(listener));
  }

  /** The order of the keys. */
  public Comparator<? super K> comparator() {
    return requireNonNull(keys.comparator());
  }

  /** Iterates over all keys, ascending. */
  @Override
  public Iterator<K> iterator() {
    return new PresentKeyIterator(keys);
  }

  /** Returns the keys from this one on, ascending; to begin takes O(log n). */
  public Iterable<K> from(K first) {
    requireNonNull(first);
    return () -> new PresentKeyIterator(keys.tailSet(first, true));
  }

  /** Returns the keys after this one, ascending; to begin takes O(log n). */
  public Iterable<K> after(K last) {
    requireNonNull(last);
    return () -> new PresentKeyIterator(keys.tailSet(last, false));
  }

  /**
   * Skips keys that have no value. Two consecutive keys show that no key is between them, so this
   * waits for removals as well as for values. Where waiting may take long, it waits for many keys
   * at once: for a few first, then for twice as many each time.
   */
  private final class PresentKeyIterator implements Iterator<K> {
    private static final int AHEAD_MAX = 256;

    private final long era = presence.era(); // before the first look at the keys
    private final Iterator<K> candidates;
    private final ArrayDeque<K> ahead = new ArrayDeque<>();
    private int aheadNext = 1;

    PresentKeyIterator(NavigableSet<K> keys) {
      this.candidates = keys.iterator();
    }

    @Override
    public boolean hasNext() {
      if (ahead.isEmpty()) {
        lookAhead();
      }
      return !ahead.isEmpty();
    }

    private void lookAhead() {
      long last = 0;
      while (ahead.size() < aheadNext && candidates.hasNext()) {
        K candidate = candidates.next();
        long version = presence.version(candidate);
        if (version == UNCERTAIN) {
          onUncertain.accept(candidate);
        } else if (version != 0) {
          ahead.add(candidate);
          last = Math.max(last, version);
        }
      }
      if (presence.mayWait()) {
        presence.await(last, era);
        aheadNext = Math.min(2 * aheadNext, AHEAD_MAX);
      }
    }

    @Override
    public K next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ahead.remove();
    }
  }
}
