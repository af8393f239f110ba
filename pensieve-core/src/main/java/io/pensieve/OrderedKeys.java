package io.pensieve;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Iterator;
import java.util.NavigableSet;
import java.util.NoSuchElementException;

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
  private final Presence<K> presence;

  /** Which keys have values, and when that may be told. */
  interface Presence<K> {
    /** Whether there is ever something to wait for. */
    boolean mayWait();

    /** The version of the key's value, or 0 if it has none. */
    long version(K key);

    /** Waits until values up to this version may be shown, and all that was found absent by now. */
    void await(long version);
  }

  /**
   * A view.
   *
   * @param keys all that have values, and perhaps others
   */
  OrderedKeys(NavigableSet<K> keys, Presence<K> presence) {
    this.keys = keys;
    this.presence = presence;
  }

  /** Their order. */
  public Comparator<? super K> comparator() {
    return requireNonNull(keys.comparator());
  }

  /** All keys, ascending. */
  @Override
  public Iterator<K> iterator() {
    return new PresentKeyIterator(keys.iterator());
  }

  /** The keys from this one on, ascending; to begin takes O(log n). */
  public Iterable<K> from(K first) {
    requireNonNull(first);
    return () -> new PresentKeyIterator(keys.tailSet(first, true).iterator());
  }

  /** The keys that come after this one, ascending; to begin takes O(log n). */
  public Iterable<K> after(K last) {
    requireNonNull(last);
    return () -> new PresentKeyIterator(keys.tailSet(last, false).iterator());
  }

  /**
   * Passes over keys that have no value. Who is told of two keys learns that none is between them,
   * so removals are waited for as values are. Where that may take long, it is done for many keys at
   * once: the first ones come soon, and then twice as many each time.
   */
  private final class PresentKeyIterator implements Iterator<K> {
    private static final int AHEAD_MAX = 256;

    private final Iterator<K> candidates;
    private final ArrayDeque<K> ahead = new ArrayDeque<>();
    private int aheadNext = 1;

    PresentKeyIterator(Iterator<K> candidates) {
      this.candidates = candidates;
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
        if (version != 0) {
          ahead.add(candidate);
          last = Math.max(last, version);
        }
      }
      if (presence.mayWait()) {
        presence.await(last);
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
