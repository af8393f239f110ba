package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.Bounds;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import io.pensieve.lru.SortedKeys;
import java.util.AbstractMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Pensieve} holds, to be read: value by value, in one order or another, and counted.
 */
abstract sealed class Contents<K, V> extends AbstractMap<K, V> permits Pensieve {
  final Bounds<K, V> bounds;
  final Counters counters;
  final LogJournal<K, V> journal;
  final LruTable<K, V> table;
  private final SortedKeys<K> sortedKeys;

  Contents(PensieveBuilder<K, V> settings, Runnable firstExpiry) {
    bounds = settings.bounds();
    counters = new Counters(settings.recordStatistics);
    journal = new LogJournal<>(settings.log, counters);
    Departures<K, V> departures =
        new Departures<>(
            counters,
            settings.removalListener,
            () -> System.getLogger(RemovalListener.class.getName()));
    sortedKeys = new SortedKeys<>(settings.keyOrder);
    table = new LruTable<>(bounds, journal, departures, settings.clock, firstExpiry, sortedKeys);
  }

  // ---- Reading

  @Override
  public @Nullable V get(Object key) {
    Node<K, V> node = table.find(key);
    V value = node == null ? null : table.value(node);
    if (node == null || value == null) {
      counters.miss();
      return absent(key, node);
    }
    counters.hit();
    table.touch(node);
    journal.awaitValue(node.version());
    return value;
  }

  @Override
  public V getOrDefault(Object key, V defaultValue) {
    V value = get(key);
    return value == null ? defaultValue : value;
  }

  /**
   * The key's value, its version and its expiry, read in one; or null if it has none. A use, as
   * {@link #get}.
   */
  public @Nullable Versioned<V> getVersioned(Object key) {
    Node<K, V> node = table.find(key);
    Node.Reading<V> reading = node == null ? null : table.read(node);
    if (node == null || reading == null) {
      counters.miss();
      absent(key, node);
      return null;
    }
    counters.hit();
    table.touch(node);
    journal.awaitValue(reading.version());
    return Versioned.of(reading);
  }

  /** As {@link #getVersioned}, but does not wait until what it finds is durable. */
  public Observation<V> observe(Object key) {
    Node<K, V> node = table.find(key);
    Node.Reading<V> reading = node == null ? null : table.read(node);
    if (node == null || reading == null) {
      counters.miss();
      long ended = node == null ? 0 : node.version();
      return new Observation<>(
          null, journal.whenDurable(Math.max(ended, journal.sequence(key, 0))));
    }
    counters.hit();
    table.touch(node);
    return new Observation<>(Versioned.of(reading), journal.whenDurable(reading.version()));
  }

  /** Whether the key has a value. Not a use: the order stays. */
  @Override
  public boolean containsKey(Object key) {
    return peek(key) != null;
  }

  @Nullable V peek(Object key) {
    Node<K, V> node = table.find(key);
    V value = node == null ? null : table.value(node);
    if (node == null || value == null) {
      return absent(key, node);
    }
    journal.awaitValue(node.version());
    return value;
  }

  /** Whether some key has this value. O(n), and not a use. */
  @Override
  public boolean containsValue(Object value) {
    requireNonNull(value);
    return super.containsValue(value);
  }

  /**
   * How many entries there are; an estimate while other threads write. Those that have expired
   * count until they are removed, within a second.
   */
  @Override
  public int size() {
    return (int) Math.min(table.size(), Integer.MAX_VALUE);
  }

  /** What the entries weigh together, under the same terms as {@link #size}. */
  public long weight() {
    return table.weight();
  }

  /** What this map has done since it was opened, and what it holds. */
  public Statistics statistics() {
    return counters.statistics(table.size(), table.weight(), journal.statistics());
  }

  // A value that has expired must be durable before it is called absent: else a crash could bring
  // back the one before, which lives for longer.
  private @Nullable V absent(Object key, @Nullable Node<K, V> node) {
    journal.awaitAbsence(key);
    if (node != null) {
      journal.awaitValue(node.version());
    }
    return null;
  }

  // ---- Views

  /** The entries: a view, weakly consistent. Iterating is not a use, {@code setValue} is. */
  @Override
  public Set<Entry<K, V>> entrySet() {
    return new EntrySet<>(this);
  }

  /** The keys: a view, weakly consistent. Iterating is not a use. */
  @Override
  public Set<K> keySet() {
    return new KeySet<>(this);
  }

  /**
   * The keys in their own order.
   *
   * @throws IllegalStateException if the map was built without {@link PensieveBuilder#orderKeys}
   */
  public OrderedKeys<K> orderedKeys() {
    if (!sortedKeys.isOn()) {
      throw new IllegalStateException("this map keeps its keys in no order");
    }
    return new OrderedKeys<>(sortedKeys.ascending(), this::isVisible);
  }

  private boolean isVisible(K key) {
    Node<K, V> node = table.find(key);
    if (node == null || table.value(node) == null) {
      return false;
    }
    journal.awaitValue(node.version());
    return true;
  }

  /**
   * The entries, that used longest ago first: as they are ordered when an iterator is asked for,
   * which takes O(n log n). Otherwise as those of {@link #entrySet}: entries that are gone when it
   * is their turn are passed over, values are those of that moment, new entries do not come.
   * Iterating is not a use.
   */
  public Iterable<Entry<K, V>> coldestFirst() {
    return () -> iterate(nodes());
  }

  /** As {@link #coldestFirst}, the other way round. */
  public Iterable<Entry<K, V>> hottestFirst() {
    return () -> iterate(table.hottestFirst());
  }

  List<Node<K, V>> nodes() {
    return table.coldestFirst();
  }

  EntryIterator<K, V> entries() {
    return iterate(table);
  }

  private EntryIterator<K, V> iterate(Iterable<Node<K, V>> nodes) {
    return new EntryIterator<>(this, nodes.iterator(), table, journal);
  }
}
