package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.ReplicatedLog;
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

/** The reading half of a {@link Pensieve}: look-ups, views, iteration in any order, statistics. */
abstract sealed class ReadableMap<K, V> extends AbstractMap<K, V> permits LoadingMap {
  final Capacity<K, V> capacity;
  final Counters counters;
  final LogChangeSink<K, V> journal;
  final LruTable<K, V> table;
  final @Nullable StandbyTable<K, V> standby; // null unless the log is replicated
  private final SortedKeys<K> sortedKeys;
  private final @Nullable ReadExpiry<K, V> readExpiry; // null unless reads change lives
  final boolean refreshes; // whether reads reload old values
  private final boolean isPlain; // whether a read is a use of the table, and nothing else
  private final boolean readsAtOnce; // if so, whether it neither waits nor is counted

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
    standby =
        settings.log instanceof ReplicatedLog ? new StandbyTable<>(table, capacity, journal) : null;
    Expiry<? super K, ? super V> expiry = settings.expiry;
    readExpiry = expiry == null ? null : new ReadExpiry<>(expiry, settings.clock, capacity, table);
    refreshes = settings.reloader != null;
    isPlain = standby == null && readExpiry == null && !refreshes;
    readsAtOnce = isPlain && !journal.mayWait() && !counters.isOn();
    table.expireBy(settings.expiryRule(), refreshes);
  }

  // ---- Reading

  @Override
  public @Nullable V get(Object key) {
    if (readsAtOnce) {
      return table.use(key);
    }
    long useTime = table.useTime();
    long begun = journal.era();
    Node<K, V> node = table.find(key);
    V value = node == null ? null : table.value(node);
    if (node == null || value == null) {
      counters.miss();
      return absent(key, node) ? null : peek(key);
    }
    counters.hit();
    long version = node.version(); // not that of a write to which this read leads
    touch(node, useTime);
    journal.awaitValue(version);
    return journal.isEra(begun) ? value : peek(key);
  }

  @Override
  public V getOrDefault(Object key, V defaultValue) {
    V value = get(key);
    return value == null ? defaultValue : value;
  }

  /**
   * Returns a consistent snapshot of the key's value, version and expiry; null if it has none.
   * Counts as a use, as {@link #get} does.
   */
  public @Nullable Versioned<V> getVersioned(Object key) {
    long useTime = table.useTime();
    long begun = journal.era();
    Node<K, V> node = table.find(key);
    Node.Snapshot<V> snapshot = node == null ? null : table.read(node);
    if (node == null || snapshot == null) {
      counters.miss();
      return absent(key, node) ? null : getVersioned(key);
    }
    counters.hit();
    Node.Snapshot<V> shown = touch(node, snapshot, useTime);
    journal.awaitValue(shown.version());
    return journal.isEra(begun) ? Versioned.of(shown) : getVersioned(key);
  }

  /** As {@link #getVersioned}, but does not wait until the result is durable. */
  public PendingRead<V> getAsync(Object key) {
    long useTime = table.useTime();
    long begun = journal.era();
    Node<K, V> node = table.find(key);
    Node.Snapshot<V> snapshot = node == null ? null : table.read(node);
    if (node == null || snapshot == null) {
      counters.miss();
      PendingRead<V> absent = absentAsync(key, node);
      return absent == null ? getAsync(key) : absent;
    }
    counters.hit();
    Node.Snapshot<V> shown = touch(node, snapshot, useTime);
    return new PendingRead<>(
        Versioned.of(shown), journal.whenDurable(shown.version(), begun), false);
  }

  /** As {@link #getAsync}, but as {@link #peek} does not count as a use, nor as a hit. */
  public PendingRead<V> peekAsync(Object key) {
    long begun = journal.era();
    Node<K, V> node = table.find(key);
    Node.Snapshot<V> snapshot = node == null ? null : table.read(node);
    if (node == null || snapshot == null) {
      PendingRead<V> absent = absentAsync(key, node);
      return absent == null ? peekAsync(key) : absent;
    }
    return new PendingRead<>(
        Versioned.of(snapshot), journal.whenDurable(snapshot.version(), begun), false);
  }

  // The absence of a key that was not found, or null if it may have a value by now.
  private @Nullable PendingRead<V> absentAsync(Object key, @Nullable Node<K, V> node) {
    long begun = journal.era();
    boolean onStandby = journal.isStandby(); // before the look
    Node<K, V> again = standby == null ? node : table.find(key);
    long ended = again == null ? 0 : again.version();
    long observed = Math.max(ended, journal.sequence(key, 0));
    return hasValue(again) || journal.era() != begun
        ? null
        : new PendingRead<>(
            null,
            journal.whenDurable(observed, begun),
            onStandby && OrderedKeys.TablePresence.isHeld(again));
  }

  /** Whether the key has a value. Does not count as a use. */
  @Override
  public boolean containsKey(Object key) {
    return peek(key) != null;
  }

  /** Returns the key's value as {@link #get} does, but counts neither as a use nor as a hit. */
  public @Nullable V peek(Object key) {
    long begun = journal.era();
    Node<K, V> node = table.find(key);
    V value = node == null ? null : table.value(node);
    if (node == null || value == null) {
      return absent(key, node) ? null : peek(key);
    }
    journal.awaitValue(node.version());
    return journal.isEra(begun) ? value : peek(key);
  }

  /** Whether some key has this value. O(n), and does not count as a use. */
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
   * The number of entries, without the expired ones; an estimate while other threads write. Counts
   * the current entries, acknowledged by the log or not: it never waits.
   */
  @Override
  public int size() {
    return (int) Math.min(table.size(), Integer.MAX_VALUE);
  }

  /** As {@link #size}, without the limit of an {@code int}. */
  public long mappingCount() {
    return table.size();
  }

  /**
   * Removes the entries that have expired, as the map also does by itself within a second. They are
   * invisible in any case: this frees their memory, and calls the removal listener.
   */
  public void cleanUp() {
    table.expireDue();
  }

  /** Whether there is no entry. Unlike {@link #size}, it waits as any read does. */
  @Override
  public boolean isEmpty() {
    return !cursor().advance();
  }

  /**
   * The total weight of the entries. Includes expired ones until they are removed, within a second.
   * An estimate while other threads write; never waits. {@link Long#MAX_VALUE} if it is larger, as
   * it may be on a standby.
   */
  public long weight() {
    return table.weight();
  }

  /** The counters since this map was opened, and its current size. */
  public Statistics statistics() {
    return counters.statistics(table.size(), table.weight(), journal.statistics());
  }

  private void touch(Node<K, V> node, long useTime) {
    if (isPlain) {
      table.touch(node, useTime);
    } else {
      touchUnlessStandby(node, useTime);
    }
  }

  // Returns the snapshot, or a later one: a version that this read makes outdated is of no use.
  private Node.Snapshot<V> touch(Node<K, V> node, Node.Snapshot<V> seen, long useTime) {
    touch(node, useTime);
    Node.Snapshot<V> again = isPlain ? null : table.read(node);
    return again == null ? seen : again;
  }

  // A standby has its order and its expiries from its log.
  private void touchUnlessStandby(Node<K, V> node, long useTime) {
    if (standby == null || standby.recordUse(node.key())) {
      table.touch(node, useTime);
      if (readExpiry != null) {
        readExpiry.read(node);
      }
      if (refreshes) {
        refresh(node);
      }
    }
  }

  // Returns false if the key has a value after all. An expired value must be durable before the key
  // is called absent. Otherwise a crash could restore the value before it, which may live longer.
  private boolean absent(Object key, @Nullable Node<K, V> node) {
    if (standby != null) {
      return isAbsent(key);
    }
    journal.awaitAbsence(key);
    if (node != null) {
      journal.awaitValue(node.version());
    }
    return true;
  }

  // A lost removal is reverted, and then its watermark is lowered, in a new era. So in one era the
  // watermark that was read after the look-up is that of this absence, or a later one.
  private boolean isAbsent(Object key) {
    while (true) {
      long begun = journal.era();
      Node<K, V> node = table.find(key);
      if (hasValue(node)) {
        return false;
      }
      journal.awaitAbsence(key);
      if (node != null) {
        journal.awaitValue(node.version());
      }
      if (journal.era() == begun) {
        return true;
      }
    }
  }

  private boolean hasValue(@Nullable Node<K, V> node) {
    return node != null && table.value(node) != null;
  }

  // ---- Views

  /**
   * Returns a weakly consistent view of the entries. Iterating does not count as a use; {@code
   * setValue} does.
   */
  @Override
  public Set<Entry<K, V>> entrySet() {
    return new EntrySet<>(this);
  }

  /** Returns a weakly consistent view of the keys. Iterating does not count as a use. */
  @Override
  public Set<K> keySet() {
    return new KeySet<>(this);
  }

  /** Returns a weakly consistent view of the values. Iterating does not count as a use. */
  @Override
  public Collection<V> values() {
    return new ValuesView<>(this);
  }

  /**
   * Whether the other object is a map with the same entries. O(n), and counts as a use in neither
   * map.
   */
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

  // Compares by look-ups in both directions, because sizes are estimates.
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

  /** The numbers of this map. Not its keys and values: these may be secrets, and may be many. */
  @Override
  public final String toString() {
    return "Pensieve[" + mappingCount() + " entries of at most " + maximumEntries() + "]";
  }

  /**
   * Returns the keys in their sorted order. The first call sorts them: see {@link
   * PensieveBuilder#orderKeys}.
   *
   * @throws IllegalStateException if the map was built without {@link PensieveBuilder#orderKeys}
   */
  public OrderedKeys<K> orderedKeys() {
    if (!sortedKeys.isEnabled()) {
      throw new IllegalStateException("this map keeps its keys in no order");
    }
    return new OrderedKeys<>(
        sortedKeys.ascending(), new OrderedKeys.TablePresence<>(table, journal));
  }

  /**
   * Returns the entries, the least recently used first. Each iterator takes the order at its
   * creation, which takes O(n log n). Otherwise as {@link #entrySet}: it skips entries that are
   * gone by their turn, values are current at their turn, and new entries do not appear. Iterating
   * does not count as a use.
   */
  public Iterable<Entry<K, V>> coldestFirst() {
    return () -> iterator(() -> nodes().iterator());
  }

  /** As {@link #coldestFirst}, in reverse order. */
  public Iterable<Entry<K, V>> hottestFirst() {
    return () -> iterator(() -> table.hottestFirst().iterator());
  }

  /**
   * Returns the entries with their versions and expiry times, in no order. Otherwise as {@link
   * #entrySet}: removing by the iterator removes the version that it has shown, and no later one.
   */
  public Iterable<Entry<K, Versioned<V>>> versionedEntries() {
    return () ->
        new ViewIterator<>(this, cursor(), seen -> Map.entry(seen.key(), seen.versioned()));
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
    return new EntryCursor<>(nodes, table, journal);
  }

  EntryCursor<K, V> cursor(Iterator<Node<K, V>> nodes) {
    return cursor(() -> nodes);
  }

  // ---- The bounds

  /** The maximum number of entries; {@link Long#MAX_VALUE} if there is no such bound. */
  public long maximumEntries() {
    return capacity.maximumEntries();
  }

  /** The maximum total weight; {@link Long#MAX_VALUE} if entries are not weighed. */
  public long maximumWeight() {
    return capacity.maximumWeight();
  }

  /**
   * Changes the maximum number of entries of this open map. A larger one applies at once. If it is
   * smaller, this thread evicts the least recently used entries before it returns, and writers that
   * add entries meanwhile help with a few each. Each eviction is logged and reported as any other.
   * Concurrent calls run one after another.
   *
   * <p>The log does not record the bound: the next map that is opened on it has the bound of its
   * builder. With several threads, uses from now on are recorded as exactly as the new bound
   * demands; earlier ones keep the error of the bound before. The memory of the hash table, 4 to 8
   * bytes for each entry of the largest bound, is not returned.
   *
   * <p>A standby (see {@link io.pensieve.log.ReplicatedLog}) accepts the bound and evicts nothing.
   * It applies when the log promotes the map. Until then the bound of the leading map decides.
   *
   * @throws IllegalArgumentException if below 1
   * @throws io.pensieve.log.LogException if the log refuses an eviction; the bound is then as many
   *     entries as are left
   * @throws IllegalStateException if the map is closed and has more entries; or if called by a
   *     function that is computing a value of this map
   */
  public void maximumEntries(long maximum) {
    long entries = PensieveBuilder.requireEntries(maximum);
    table.checkNotWithinFunction();
    table.capacityChange().maximumEntries(entries, journal::throttle);
  }

  /**
   * As {@link #maximumEntries(long)}, for the total weight. Entries that alone are heavier than the
   * new bound are evicted first. If a function is computing such an entry, this method waits for
   * it.
   *
   * @throws IllegalArgumentException if below 1
   * @throws IllegalStateException also if this map was built without {@link
   *     PensieveBuilder#maximumWeight}: then it does not weigh its entries
   */
  public void maximumWeight(long maximum) {
    if (!capacity.isWeighted()) {
      throw new IllegalStateException("this map was built without a weigher");
    }
    long weight = PensieveBuilder.requireWeight(maximum);
    table.checkNotWithinFunction();
    table.capacityChange().maximumWeight(weight, journal::throttle);
  }

  // ---- Removing all that is here

  /** Removes the entries one by one; entries that are put meanwhile may stay. */
  @Override
  public final void clear() {
    try (BulkWriter<K, V> changes = changeMany()) {
      for (Node<K, V> node : table) {
        changes.remove(node.key());
      }
    }
  }

  /** Reloads the value of an entry that was read, if it is old. */
  abstract void refresh(Node<K, V> node);

  /** Puts a value and returns its version. */
  abstract long write(K key, V value);

  BulkWriter<K, V> changeMany() {
    return new BulkWriter<>(table, journal);
  }

  // A key of another type equals none of ours, so it is only searched, never stored.
  @SuppressWarnings("unchecked")
  final K typed(Object key) {
    return (K) requireNonNull(key);
  }
}
