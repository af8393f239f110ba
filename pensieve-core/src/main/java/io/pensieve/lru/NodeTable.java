package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A hash table of nodes, which are themselves the links of its bins: a look-up meets no other
 * object between the bin and the node. Thread-safe. Look-ups take no lock and write nothing.
 *
 * <p>How it holds together. A bin is a slot of the array, and the chain of links that begins there.
 * A marker as the first link tells what is happening to the bin; look-ups walk over it, for no key
 * has its hash.
 *
 * <ul>
 *   <li>A node is added as the first of its chain, by one compare-and-set of the slot, after its
 *       key was not found in the chain. Chains only get shorter otherwise, and a node that has left
 *       never comes back: so a slot that still has the same first link stands for a chain without
 *       the key.
 *   <li>A node is removed with the bin {@link #LOCKED}, so that no other one is removed, nor the
 *       bin moved, at the same time. (A node that is alone in its bin just goes: nothing can come
 *       to stand behind it.) It keeps its own link: whoever stands on it still gets to what was
 *       behind it.
 *   <li>The table grows by doubling, bin by bin. A bin is {@link #MOVING} while its nodes are
 *       linked anew into the two bins of the larger array, and {@link #MOVED} for good. A look-up
 *       that stands on a node meanwhile may be led past the one it looks for. So whoever finds
 *       nothing looks at the slot once more: if the bin is neither moving nor moved <i>then</i>, no
 *       link had been changed before, and nothing is the right answer. Links keep their order, so
 *       nobody is ever led in a circle. The bins of the larger array are reached through the moved
 *       slot alone, and so not before they are filled.
 *   <li>A chain of {@link #CHAIN_MAX} nodes comes about by bad hashes or by bad intentions. The bin
 *       is then {@link #CROWDED} for good: its chain gets no more nodes, and further ones go to a
 *       {@link ConcurrentHashMap}, which makes trees of keys that are {@link Comparable}. So
 *       attackers who send strings of equal hashes gain a factor of log n, and not n.
 * </ul>
 *
 * <p>Growing needs an idea of how many nodes there are. Those whose hashes fall in one of 16
 * classes are counted, so that most changes write to no counter. Who sends such keys only, or none
 * of them, makes the table as large as a full one needs, or fills the chains as above.
 */
final class NodeTable<K, V> implements Iterable<Node<K, V>> {
  static final int CHAIN_MAX = 16;
  private static final int BINS_MIN = 256;
  private static final int BINS_MAX = 1 << 30;
  private static final int SAMPLE_BITS = 4;

  // What markers mean, in place of a hash.
  private static final int LOCKED = -1;
  private static final int MOVING = -2;
  private static final int MOVED = -3;
  private static final int CROWDED = -4;

  private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Link[].class);

  /** Stands in the slot of a bin whose nodes are in the larger array now. */
  private static final class Moved<K, V> extends Link<K, V> {
    final Link<K, V>[] larger;

    Moved(Link<K, V>[] larger) {
      super(MOVED, null);
      this.larger = larger;
    }
  }

  private final int binsMax;
  private final AtomicInteger sampled = new AtomicInteger();
  private final AtomicBoolean growing = new AtomicBoolean();
  private final ConcurrentHashMap<K, Node<K, V>> crowd = new ConcurrentHashMap<>();
  private volatile Link<K, V>[] bins;

  /**
   * An empty table.
   *
   * @param nodesMax for how many nodes it may grow; it takes more, in longer chains
   */
  NodeTable(long nodesMax) {
    long wanted = Math.min(BINS_MAX, Math.max(2, nodesMax + nodesMax / 3));
    binsMax = Integer.highestOneBit((int) wanted - 1) << 1;
    bins = newBins(Math.min(BINS_MIN, binsMax));
  }

  /** The hash of a key, as the constructor of a node takes it. */
  static int hash(Object key) {
    int code = key.hashCode();
    return (code ^ code >>> 16) & Integer.MAX_VALUE;
  }

  /** The node of a key, or null. */
  @Nullable Node<K, V> get(Object key) {
    int hash = hash(key);
    Link<K, V>[] array = bins;
    Node<K, V> found = find(slot(array, hash), hash, key);
    return found != null ? found : findElsewhere(array, hash, key);
  }

  private @Nullable Node<K, V> findElsewhere(Link<K, V>[] searched, int hash, Object key) {
    Link<K, V>[] array = searched;
    for (int turns = 0; ; ) {
      Link<K, V> first = slot(array, hash);
      if (first == null || first.hash >= 0) {
        return null;
      } else if (first instanceof Moved<K, V> moved) {
        array = moved.larger;
      } else if (first.hash != MOVING) {
        return isCrowded(first) ? crowd.get(key) : null;
      } else {
        turns = Spin.once(turns);
      }
      Node<K, V> found = find(slot(array, hash), hash, key);
      if (found != null) {
        return found;
      }
    }
  }

  /** Adds a node, unless its key is here: then answers the node that is. */
  @Nullable Node<K, V> putIfAbsent(Node<K, V> node) {
    boolean counts = isSampled(node.hash);
    if (counts && sampled.get() >= sampledMax(bins)) {
      grow();
    }
    Node<K, V> present = link(node);
    if (present == null && counts) {
      sampled.incrementAndGet();
    }
    return present;
  }

  private @Nullable Node<K, V> link(Node<K, V> node) {
    int hash = node.hash;
    Link<K, V>[] array = bins;
    for (int turns = 0; ; ) {
      Link<K, V> first = slot(array, hash);
      if (first instanceof Moved<K, V> moved) {
        array = moved.larger;
        continue;
      }
      if (first != null && isBusy(first)) {
        turns = Spin.once(turns);
        continue;
      }
      Node<K, V> present = find(first, hash, node.key());
      if (present != null) {
        return present;
      }
      if (first != null && first.hash == CROWDED) {
        if (slot(array, hash) == first) { // so the chain has not been moved meanwhile
          return crowd.putIfAbsent(node.key(), node);
        }
      } else if (isFull(first)) {
        replace(array, hash, first, new Link<>(CROWDED, first));
      } else {
        node.nextInBin(first);
        if (replace(array, hash, first, node)) {
          return null;
        }
      }
    }
  }

  /** Takes a node out, if it is here. */
  boolean remove(Node<K, V> node) {
    boolean removed = unlink(node);
    if (removed && isSampled(node.hash)) {
      sampled.decrementAndGet();
    }
    return removed;
  }

  private boolean unlink(Node<K, V> node) {
    int hash = node.hash;
    Link<K, V>[] array = bins;
    for (int turns = 0; ; ) {
      Link<K, V> first = slot(array, hash);
      if (first == null) {
        return false;
      } else if (first instanceof Moved<K, V> moved) {
        array = moved.larger;
      } else if (isBusy(first)) {
        turns = Spin.once(turns);
      } else if (first == node && node.nextInBin() == null) {
        if (replace(array, hash, node, null)) {
          return true;
        }
      } else if (replace(array, hash, first, new Link<>(LOCKED, first))) {
        Link<K, V> firstAfter = first == node ? node.nextInBin() : first;
        boolean unlinked = first == node || unlinkBehind(first, node);
        SLOT.setRelease(array, hash & array.length - 1, firstAfter);
        return unlinked || (first.hash == CROWDED && crowd.remove(node.key(), node));
      }
    }
  }

  // With the bin locked. False if the node is not behind that link.
  private static <K, V> boolean unlinkBehind(Link<K, V> first, Node<K, V> node) {
    Link<K, V> before = first;
    for (Link<K, V> link; (link = before.nextInBin()) != null; before = link) {
      if (link == node) {
        before.nextInBin(node.nextInBin());
        return true;
      }
    }
    return false;
  }

  // ---- Growing

  private void grow() {
    if (!growing.compareAndSet(false, true)) {
      return; // another thread is at it
    }
    try {
      Link<K, V>[] array = bins;
      if (sampled.get() >= sampledMax(array)) {
        Moved<K, V> moved = new Moved<>(newBins(2 * array.length));
        for (int bin = 0; bin < array.length; bin++) {
          move(array, bin, moved);
        }
        bins = moved.larger;
      }
    } finally {
      growing.set(false);
    }
  }

  private void move(Link<K, V>[] array, int bin, Moved<K, V> moved) {
    Link<K, V> first;
    for (int turns = 0; ; ) {
      first = slot(array, bin);
      if (first != null && isBusy(first)) {
        turns = Spin.once(turns);
      } else if (replace(array, bin, first, first == null ? moved : new Link<>(MOVING, first))) {
        break;
      }
    }
    if (first != null) {
      split(first, array.length, bin, moved.larger);
      SLOT.setRelease(array, bin, moved);
    }
  }

  // The nodes of a chain go to two bins of the larger array, in the same order as before.
  private void split(Link<K, V> first, int bit, int bin, Link<K, V>[] larger) {
    boolean crowded = first.hash == CROWDED;
    Link<K, V> low = new Link<>(CROWDED, null);
    Link<K, V> high = new Link<>(CROWDED, null);
    Link<K, V> lowEnd = low;
    Link<K, V> highEnd = high;
    for (Link<K, V> link = crowded ? first.nextInBin() : first; link != null; ) {
      if ((link.hash & bit) == 0) {
        lowEnd.nextInBin(link);
        lowEnd = link;
      } else {
        highEnd.nextInBin(link);
        highEnd = link;
      }
      link = link.nextInBin();
    }
    lowEnd.nextInBin(null);
    highEnd.nextInBin(null);
    SLOT.setRelease(larger, bin, crowded ? low : low.nextInBin());
    SLOT.setRelease(larger, bin + bit, crowded ? high : high.nextInBin());
  }

  private int sampledMax(Link<K, V>[] array) {
    return array.length >= binsMax
        ? Integer.MAX_VALUE
        : (array.length - array.length / 4) >>> SAMPLE_BITS;
  }

  private static boolean isSampled(int hash) {
    return (hash * 0x9E3779B9) >>> (Integer.SIZE - SAMPLE_BITS) == 0;
  }

  // ---- Walking

  /**
   * The nodes, weakly consistent: each one that is here throughout comes exactly once. Growing does
   * not disturb that: the nodes of a bin of the array with which the iterator began are found in
   * that bin, or in those that it has become.
   */
  @Override
  public Iterator<Node<K, V>> iterator() {
    return new BinIterator();
  }

  private final class BinIterator implements Iterator<Node<K, V>> {
    private final Link<K, V>[] array = bins;
    private final ArrayList<Node<K, V>> ofBin = new ArrayList<>();
    private int nextBin;
    private int nextOfBin;
    private @Nullable Iterator<Node<K, V>> ofCrowd;

    @Override
    public boolean hasNext() {
      while (nextOfBin == ofBin.size() && nextBin < array.length) {
        ofBin.clear();
        nextOfBin = 0;
        collect(array, nextBin++, ofBin);
      }
      if (nextOfBin < ofBin.size()) {
        return true;
      }
      if (ofCrowd == null) {
        ofCrowd = crowd.values().iterator();
      }
      return ofCrowd.hasNext();
    }

    @Override
    public Node<K, V> next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ofCrowd != null ? ofCrowd.next() : ofBin.get(nextOfBin++);
    }
  }

  private void collect(Link<K, V>[] array, int bin, List<Node<K, V>> nodes) {
    int before = nodes.size();
    for (int turns = 0; ; turns = Spin.once(turns)) {
      for (Link<K, V> link = slot(array, bin); link != null; link = link.nextInBin()) {
        if (link instanceof Node<K, V> node) {
          nodes.add(node);
        }
      }
      Link<K, V> first = slot(array, bin);
      if (first == null || (first.hash != MOVING && first.hash != MOVED)) {
        return;
      }
      nodes.subList(before, nodes.size()).clear();
      if (first instanceof Moved<K, V> moved) {
        collect(moved.larger, bin, nodes);
        collect(moved.larger, bin + array.length, nodes);
        return;
      }
    }
  }

  // ---- Bins

  private static <K, V> @Nullable Node<K, V> find(
      @Nullable Link<K, V> first, int hash, Object key) {
    for (Link<K, V> link = first; link != null; link = link.nextInBin()) {
      if (link.hash == hash) {
        Node<K, V> node = (Node<K, V>) link;
        K nodesKey = node.key();
        if (nodesKey == key || key.equals(nodesKey)) {
          return node;
        }
      }
    }
    return null;
  }

  private static boolean isBusy(Link<?, ?> first) {
    return first.hash == LOCKED || first.hash == MOVING;
  }

  private static <K, V> boolean isCrowded(Link<K, V> first) {
    Link<K, V> unlocked = first.hash == LOCKED ? first.nextInBin() : first;
    return unlocked != null && unlocked.hash == CROWDED;
  }

  private static <K, V> boolean isFull(@Nullable Link<K, V> first) {
    int nodes = 0;
    for (Link<K, V> link = first; link != null; link = link.nextInBin()) {
      nodes++;
    }
    return nodes >= CHAIN_MAX;
  }

  @SuppressWarnings("unchecked") // links of other types are never stored
  private static <K, V> @Nullable Link<K, V> slot(Link<K, V>[] array, int hash) {
    return (Link<K, V>) SLOT.getAcquire(array, hash & array.length - 1);
  }

  private static <K, V> boolean replace(
      Link<K, V>[] array, int hash, @Nullable Link<K, V> expected, @Nullable Link<K, V> link) {
    return SLOT.compareAndSet(array, hash & array.length - 1, expected, link);
  }

  @SuppressWarnings("unchecked") // an array of a generic type cannot be made otherwise
  private static <K, V> Link<K, V>[] newBins(int length) {
    return (Link<K, V>[]) new Link<?, ?>[length];
  }
}
