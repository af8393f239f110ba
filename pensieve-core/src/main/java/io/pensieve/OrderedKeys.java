package io.pensieve;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Iterator;
import java.util.NavigableSet;
import java.util.NoSuchElementException;

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
  private final NavigableSet<K> keys;
  private final Presence<K> presence;

  /** Tells which keys have values, and waits until that is durable. */
  interface Presence<K> {
    /** Whether a change can be appended and not yet durable. */
    boolean mayWait();

    /** A number for {@link #await}, read before the keys are. */
    long era();

    /** The version of the key's value, or 0 if it has none. */
    long version(K key);

    /** Waits until values up to this version, and all absences observed so far, are durable. */
    void await(long version, long era);
  }

  /**
   * Creates a view.
   *
   * @param keys all keys that have values, and perhaps others
   */
  OrderedKeys(NavigableSet<K> keys, Presence<K> presence) {
    this.keys = keys;
    this.presence = presence;
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
        if (version != 0) {
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
