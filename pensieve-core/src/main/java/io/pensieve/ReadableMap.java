package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.Capacity;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import io.pensieve.lru.SortedKeys;
import java.util.AbstractMap;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Pensieve} holds, to be read: value by value, in one order or another, and counted.
 */
abstract sealed class ReadableMap<K, V> extends AbstractMap<K, V> permits Pensieve {
  final Capacity<K, V> capacity;
  final Counters counters;
  final LogChangeSink<K, V> journal;
  final LruTable<K, V> table;
  private final SortedKeys<K> sortedKeys;

  ReadableMap(PensieveBuilder<K, V> settings, Runnable firstExpiry) {
    capacity = settings.capacity();
    counters = new Counters(settings.recordStatistics);
    journal = new LogChangeSink<>(settings.log, counters);
    RemovalNotifier<K, V> notifier =
        new RemovalNotifier<>(
            counters,
            settings.removalListener,
            () -> System.getLogger(RemovalListener.class.getName()),
            System::nanoTime);
    sortedKeys = new SortedKeys<>(settings.keyOrder);
    table = new LruTable<>(capacity, journal, notifier, settings.clock, firstExpiry, sortedKeys);
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
    Node.Snapshot<V> snapshot = node == null ? null : table.read(node);
    if (node == null || snapshot == null) {
      counters.miss();
      absent(key, node);
      return null;
    }
    counters.hit();
    table.touch(node);
    journal.awaitValue(snapshot.version());
    return Versioned.of(snapshot);
  }

  /** As {@link #getVersioned}, but does not wait until what it finds is durable. */
  public PendingRead<V> getAsync(Object key) {
    Node<K, V> node = table.find(key);
    Node.Snapshot<V> snapshot = node == null ? null : table.read(node);
    if (node == null || snapshot == null) {
      counters.miss();
      long ended = node == null ? 0 : node.version();
      return new PendingRead<>(
          null, journal.whenDurable(Math.max(ended, journal.sequence(key, 0))));
    }
    counters.hit();
    table.touch(node);
    return new PendingRead<>(Versioned.of(snapshot), journal.whenDurable(snapshot.version()));
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
    for (EntryCursor<K, V> entry = cursor(); entry.advance(); ) {
      if (value.equals(entry.value())) {
        return true;
      }
    }
    return false;
  }

  /**
   * How many entries there are, those that have expired not among them; an estimate while other
   * threads write. Counts what is there now, acknowledged by the log or not: it never waits.
   */
  @Override
  public int size() {
    return (int) Math.min(table.size(), Integer.MAX_VALUE);
  }

  /** Whether there is no entry. Unlike {@link #size}, it waits as any read does. */
  @Override
  public boolean isEmpty() {
    return !cursor().advance();
  }

  /**
   * What the entries weigh together, those that have expired among them until they are removed,
   * within a second; an estimate while other threads write, that never waits.
   */
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

  /** The values: a view, weakly consistent. Iterating is not a use. */
  @Override
  public Collection<V> values() {
    return new ValuesView<>(this);
  }

  /** Whether that is a map with the same entries. O(n), and not a use of either's. */
  @Override
  public final boolean equals(@Nullable Object other) {
    if (other == this) {
      return true;
    }
    try {
      return other instanceof Map<?, ?> map && isWithin(map) && hasAll(map);
    } catch (ClassCastException | NullPointerException notForTheOthersKeys) {
      return false;
    }
  }

  // By look-ups, both ways: sizes are estimates.
  private boolean isWithin(Map<?, ?> other) {
    for (EntryCursor<K, V> entry = cursor(); entry.advance(); ) {
      K key = entry.key();
      Object value = other instanceof ReadableMap<?, ?> map ? map.peek(key) : other.get(key);
      if (!entry.value().equals(value)) {
        return false;
      }
    }
    return true;
  }

  private boolean hasAll(Map<?, ?> other) {
    for (Entry<?, ?> entry : other.entrySet()) {
      Object value = entry.getValue();
      if (value == null || !value.equals(peek(entry.getKey()))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public final int hashCode() {
    return super.hashCode();
  }

  /**
   * The keys in their own order.
   *
   * @throws IllegalStateException if the map was built without {@link PensieveBuilder#orderKeys}
   */
  public OrderedKeys<K> orderedKeys() {
    if (!sortedKeys.isEnabled()) {
      throw new IllegalStateException("this map keeps its keys in no order");
    }
    return new OrderedKeys<>(sortedKeys.ascending(), new Presence());
  }

  private final class Presence implements OrderedKeys.Presence<K> {
    @Override
    public boolean mayWait() {
      return journal.mayWait();
    }

    @Override
    public long version(K key) {
      Node<K, V> node = table.find(key);
      return node == null || table.value(node) == null ? 0 : node.version();
    }

    @Override
    public void await(long version) {
      journal.awaitValue(version);
      journal.awaitAbsences();
    }
  }

  /**
   * The entries, that used longest ago first: as they are ordered when an iterator is asked for,
   * which takes O(n log n). Otherwise as those of {@link #entrySet}: entries that are gone when it
   * is their turn are passed over, values are those of that moment, new entries do not come.
   * Iterating is not a use.
   */
  public Iterable<Entry<K, V>> coldestFirst() {
    return () -> iterator(nodes());
  }

  /** As {@link #coldestFirst}, the other way round. */
  public Iterable<Entry<K, V>> hottestFirst() {
    return () -> iterator(table.hottestFirst());
  }

  List<Node<K, V>> nodes() {
    return table.coldestFirst();
  }

  private Iterator<Entry<K, V>> iterator(Iterable<Node<K, V>> nodes) {
    EntrySet<K, V> entries = new EntrySet<>(this);
    return new ViewIterator<>(this, cursor(nodes), entries::elementAt);
  }

  EntryCursor<K, V> cursor() {
    return cursor(table);
  }

  private EntryCursor<K, V> cursor(Iterable<Node<K, V>> nodes) {
    return cursor(nodes.iterator());
  }

  EntryCursor<K, V> cursor(Iterator<Node<K, V>> nodes) {
    return new EntryCursor<>(nodes, table, journal);
  }

  // ---- Removing all that is here

  /** Removes the entries one by one; those that are put meanwhile may stay. */
  @Override
  public final void clear() {
    try (BulkWriter<K, V> changes = changeMany()) {
      for (Node<K, V> node : table) {
        changes.remove(node.key());
      }
    }
  }

  /** Puts, and answers the version. */
  abstract long write(K key, V value);

  BulkWriter<K, V> changeMany() {
    return new BulkWriter<>(table, journal);
  }

  // A key of another type is equal to none of ours, so that it is only ever looked for, never kept.
  @SuppressWarnings("unchecked")
  final K typed(Object key) {
    return (K) requireNonNull(key);
  }
}
