package io.pensieve;

import static java.util.Objects.requireNonNull;

import java.util.Comparator;
import java.util.Iterator;
import java.util.NavigableSet;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a map in the order that it was {@linkplain PensieveBuilder#orderKeys built} to keep:
 * a view, to be read only.
 *
 * <p>Iterators are weakly consistent: a key that is there throughout comes exactly once, one that
 * comes or goes meanwhile comes or does not. They hold nobody up, however slowly they are read, and
 * take no memory to speak of. A key comes when its value is acknowledged by the log, which is
 * waited for. To list keys is not a use of their entries.
 *
 * @param <K> the type of keys
 */
public final class OrderedKeys<K> implements Iterable<K> {
  private final NavigableSet<K> keys;
  private final Predicate<K> isPresent;

  /**
   * A view.
   *
   * @param keys all that have values, and perhaps others
   * @param isPresent whether a key has one
   */
  OrderedKeys(NavigableSet<K> keys, Predicate<K> isPresent) {
    this.keys = keys;
    this.isPresent = isPresent;
  }

  /** Their order. */
  public Comparator<? super K> comparator() {
    return requireNonNull(keys.comparator());
  }

  /** All keys, ascending. */
  @Override
  public Iterator<K> iterator() {
    return new Present(keys.iterator());
  }

  /** The keys from this one on, ascending; to begin takes O(log n). */
  public Iterable<K> from(K first) {
    requireNonNull(first);
    return () -> new Present(keys.tailSet(first, true).iterator());
  }

  /** The keys that come after this one, ascending; to begin takes O(log n). */
  public Iterable<K> after(K last) {
    requireNonNull(last);
    return () -> new Present(keys.tailSet(last, false).iterator());
  }

  /** Passes over keys that have no value. */
  private final class Present implements Iterator<K> {
    private final Iterator<K> candidates;
    private @Nullable K next;

    Present(Iterator<K> candidates) {
      this.candidates = candidates;
    }

    @Override
    public boolean hasNext() {
      while (next == null && candidates.hasNext()) {
        K candidate = candidates.next();
        if (isPresent.test(candidate)) {
          next = candidate;
        }
      }
      return next != null;
    }

    @Override
    public K next() {
      if (!hasNext() || next == null) {
        throw new NoSuchElementException();
      }
      K present = next;
      next = null;
      return present;
    }
  }
}
