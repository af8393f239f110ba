package io.pensieve;

import static java.util.Objects.requireNonNull;

import java.util.AbstractCollection;
import java.util.Collection;
import java.util.Iterator;
import java.util.Set;
import java.util.Spliterator;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A view of a map's keys, values or entries. Removing from the view removes from the map, through
 * the log. It is weakly consistent, so its spliterators are {@link Spliterator#CONCURRENT} and not
 * sized; they split by the bins of the table. A method that removes many elements waits for the log
 * once.
 */
abstract sealed class View<K, V, E> extends AbstractCollection<E> permits View.OfSet, ValuesView {
  private static final int TRAITS = Spliterator.CONCURRENT | Spliterator.NONNULL;

  final ReadableMap<K, V> map;

  View(ReadableMap<K, V> map) {
    this.map = map;
  }

  /** The element of this view for an entry. */
  abstract E elementAt(EntryCursor<K, V> entry);

  /** Removes the entry with the value that the cursor has shown, but not with a later one. */
  boolean remove(EntryCursor<K, V> entry, BulkWriter<K, V> changes) {
    return changes.removeIfVersion(entry.key(), entry.version());
  }

  @Override
  public final Iterator<E> iterator() {
    return new ViewIterator<>(map, map.cursor(), this::elementAt);
  }

  @Override
  public final Spliterator<E> spliterator() {
    int traits = this instanceof Set ? TRAITS | Spliterator.DISTINCT : TRAITS;
    return new ViewSpliterator<>(map, map.table.iterator(), this::elementAt, traits);
  }

  @Override
  public final int size() {
    return map.size();
  }

  @Override
  public final boolean isEmpty() {
    return map.isEmpty();
  }

  @Override
  public final void clear() {
    map.clear();
  }

  @Override
  public final boolean removeIf(Predicate<? super E> filter) {
    requireNonNull(filter);
    boolean removed = false;
    try (BulkWriter<K, V> changes = map.changeMany()) {
      for (EntryCursor<K, V> entry = map.cursor(); entry.advance(); ) {
        removed |= filter.test(elementAt(entry)) && remove(entry, changes);
      }
    }
    return removed;
  }

  @Override
  public boolean removeAll(Collection<?> elements) {
    requireNonNull(elements);
    return removeIf(elements::contains);
  }

  @Override
  public final boolean retainAll(Collection<?> elements) {
    requireNonNull(elements);
    return removeIf(element -> !elements.contains(element));
  }

  /** A view without duplicates. Compares by its elements, because its size is an estimate. */
  abstract static sealed class OfSet<K, V, E> extends View<K, V, E> implements Set<E>
      permits KeySet, EntrySet {

    OfSet(ReadableMap<K, V> map) {
      super(map);
    }

    /** As {@link #remove(Object)}, without waiting. */
    abstract boolean remove(@Nullable Object element, BulkWriter<K, V> changes);

    @Override
    public final boolean remove(@Nullable Object element) {
      try (BulkWriter<K, V> changes = map.changeMany()) {
        return remove(element, changes);
      }
    }

    // Looks up each of the given elements, unless it is cheaper to search for ours among them.
    @Override
    public final boolean removeAll(Collection<?> elements) {
      if (elements instanceof Set && elements.size() > size()) {
        return super.removeAll(elements);
      }
      boolean removed = false;
      try (BulkWriter<K, V> changes = map.changeMany()) {
        for (Object element : elements) {
          removed |= remove(element, changes);
        }
      }
      return removed;
    }

    @Override
    public final boolean equals(@Nullable Object other) {
      return other == this
          || (other instanceof Set<?> set && containsAll(set) && set.containsAll(this));
    }

    @Override
    public final int hashCode() {
      int sum = 0;
      for (E element : this) {
        sum += element.hashCode();
      }
      return sum;
    }
  }
}
