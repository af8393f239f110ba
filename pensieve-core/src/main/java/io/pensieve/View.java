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
 * A map's keys, values or entries as a view: what is removed here is removed there, through the
 * log. Weakly consistent, so its spliterators are {@link Spliterator#CONCURRENT}, and do not know
 * how many elements there will be; they split by the bins of the table. What removes many elements
 * waits for the log once.
 */
abstract sealed class View<K, V, E> extends AbstractCollection<E> permits View.OfSet, ValuesView {
  private static final int TRAITS = Spliterator.CONCURRENT | Spliterator.NONNULL;

  final ReadableMap<K, V> map;

  View(ReadableMap<K, V> map) {
    this.map = map;
  }

  /** What this view has of an entry. */
  abstract E elementAt(EntryCursor<K, V> entry);

  /** Removes what the cursor has shown: the value that it saw, and not a later one. */
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

  /** A view without duplicates. Compares by its elements, for its size is an estimate. */
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

    // Looks each of the elements up, unless it is cheaper to ask whether ours are among them.
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
