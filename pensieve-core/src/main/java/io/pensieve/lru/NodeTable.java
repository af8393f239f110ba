package io.pensieve.lru;

import io.pensieve.lru.Bin.ForwardingLink;
import io.pensieve.lru.Bin.OverflowLink;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A hash table whose nodes are themselves the links of its bins: a look-up meets no other object
 * between bin and node. Thread-safe. Look-ups take no lock and write nothing.
 *
 * <p>A bin is a slot of the array and the chain of links that begins there. A marker as the first
 * link states what is happening to the bin. Look-ups skip the marker, because no key has its hash.
 * Invariants:
 *
 * <ul>
 *   <li>Adding: a thread searches the chain for the key, then makes its node the first link by one
 *       compare-and-set of the slot. Other changes only shorten a chain, and a removed node never
 *       comes back. So if the slot still has the same first link, the chain does not have the key.
 *   <li>Removing: a thread removes a node while the bin is {@link Bin#LOCKED}. So no other removal
 *       or move of the bin runs at the same time. A node that is alone in its bin needs no lock:
 *       nothing can be linked behind it. A removed node keeps its own link. So a reader standing on
 *       it still reaches the nodes behind it.
 *   <li>Growing: the table doubles, bin by bin. A bin is {@link Bin#MOVING} while its nodes are
 *       relinked into the two bins of the larger array, and {@link Bin#MOVED} for good afterwards.
 *       A look-up that stands on a node meanwhile may miss the node it searches. So a look-up that
 *       finds nothing reads the slot again: if the bin is neither moving nor moved <i>then</i>, no
 *       link had changed before, and the absence is correct. Links keep their order, so no reader
 *       runs in a cycle. Readers reach the bins of the larger array only through the moved slot,
 *       and so only after they are filled.
 *   <li>Overflow: a chain of {@link Bin#CHAIN_MAX} nodes indicates bad hashes or an attack. The bin
 *       then becomes an {@link OverflowLink}: its chain gets no more nodes. Further nodes go to a
 *       {@link ConcurrentHashMap}, with the bin locked; that map makes trees of keys that are
 *       {@link Comparable}. So strings of equal hashes slow a look-up by a factor of log n instead
 *       of n. When few nodes are left, all return to the chain, and the bin is an ordinary one
 *       again. The old map is not emptied, because a look-up may be about to read it.
 *   <li>Errors: an {@code Error} leaves nothing locked or lost. A thread that locked a bin has
 *       changed at most one link, and its handler restores the first link. Between its two markers,
 *       moving a bin calls no method and allocates nothing. The table keeps the larger array until
 *       all bins are moved: the next growth continues an interrupted one.
 * </ul>
 *
 * <p>Whoever adds a node says how many there are, because the {@link EvictionOrder} counts them.
 * The table grows when there is more than one for {@code 8/3} bins, so that most chains have one
 * node. While it is filled from a log, some nodes are in no order. Then it counts on its own, only
 * nodes whose hashes fall into one of 16 classes, so most threads write no counter.
 */
final class NodeTable<K, V> implements Iterable<Node<K, V>> {
  private static final int BINS_MIN = 256;
  private static final int BINS_MAX = 1 << 30;
  private static final int SAMPLE_BITS = 4;

  private static final VarHandle GROWING;

  static {
    try {
      GROWING = MethodHandles.lookup().findVarHandle(NodeTable.class, "growing", boolean.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  private final AtomicInteger sampled = new AtomicInteger(); // while filling
  private volatile int binsMax;
  private volatile boolean filling; // then binsMax is ignored
  private volatile boolean hasOverflowed; // since the table was last sized
  private volatile BinLink<K, V>[] bins;

  // The thread that sets this to true grows the table, and stores false at the end.
  @SuppressWarnings("unused") // accessed by GROWING
  private volatile boolean growing;

  // The target of a growth in progress, or of one that an error interrupted. Written by the growing
  // thread.
  private volatile @Nullable ForwardingLink<K, V> unfinished;

  /** Creates an empty table that grows up to so many nodes. It accepts more, in longer chains. */
  NodeTable(long nodesMax) {
    binsMax = binsFor(nodesMax);
    bins = Bin.newBins(Math.min(BINS_MIN, binsMax));
  }

  /**
   * Changes the number of nodes up to which the table grows, with later insertions. It never
   * shrinks.
   */
  void maximumNodes(long nodesMax) {
    binsMax = binsFor(nodesMax);
  }

  private static int binsFor(long nodes) {
    long wanted = Math.min(BINS_MAX, Math.max(2, 2 * Math.min(BINS_MAX, nodes)));
    return Integer.highestOneBit((int) wanted - 1) << 1;
  }

  /** Returns the node of a key, or null. */
  @Nullable Node<K, V> get(Object key) {
    int hash = BinLink.hash(key);
    BinLink<K, V>[] array = bins;
    BinLink<K, V> first = Bin.slot(array, hash);
    Node<K, V> found = Bin.find(first, hash, key);
    return found != null ? found : findElsewhere(array, first, hash, key);
  }

  private @Nullable Node<K, V> findElsewhere(
      BinLink<K, V>[] searched, @Nullable BinLink<K, V> firstSearched, int hash, Object key) {
    BinLink<K, V>[] array = searched;
    OverflowLink<K, V> overflow = Bin.overflowOf(firstSearched);
    for (int turns = 0; ; ) {
      BinLink<K, V> first = Bin.slot(array, hash);
      if (first instanceof ForwardingLink<K, V> forwarding) {
        array = forwarding.larger;
      } else if (first != null && first.hash == Bin.MOVING) {
        turns = SpinWait.once(turns);
      } else if (Bin.overflowOf(first) == overflow) {
        return overflow == null ? null : overflow.nodes.get(key);
      }
      first = Bin.slot(array, hash);
      overflow = Bin.overflowOf(first);
      Node<K, V> found = Bin.find(first, hash, key);
      if (found != null) {
        return found;
      }
    }
  }

  /** Whether the table is not yet as large as it may become. */
  boolean mayGrow() {
    return bins.length < (filling ? BINS_MAX : binsMax);
  }

  /** Grows if the bins are too few for so many nodes. */
  void growFor(long nodes) {
    while (mayGrow() && nodes > bins.length / 8 * 3L && grow(bins)) {
      // Twice as large, and perhaps still too small.
    }
  }

  /** Adds a node, unless the table has its key: then returns the node that has it. */
  @Nullable Node<K, V> putIfAbsent(Node<K, V> node) {
    boolean counts = filling && isSampled(node.hash);
    if (counts) {
      growFor((long) sampled.get() << SAMPLE_BITS);
    }
    Node<K, V> present = link(node);
    if (present == null && counts) {
      sampled.incrementAndGet();
    }
    return present;
  }

  private @Nullable Node<K, V> link(Node<K, V> node) {
    int hash = node.hash;
    BinLink<K, V>[] array = bins;
    for (int turns = 0; ; ) {
      BinLink<K, V> first = Bin.slot(array, hash);
      if (first instanceof ForwardingLink<K, V> forwarding) {
        array = forwarding.larger;
        continue;
      }
      if (first != null && Bin.isBusy(first)) {
        turns = SpinWait.once(turns);
        continue;
      }
      Node<K, V> present = null;
      int nodes = 0;
      for (BinLink<K, V> link = first; link != null; link = link.nextInBin()) {
        if (link.hash == hash && Bin.hasKey(link, node.key())) {
          return (Node<K, V>) link;
        }
        nodes++;
      }
      if (first instanceof OverflowLink<K, V> overflow) {
        Bin.checkStack();
        BinLink<K, V> locked = new BinLink<>(Bin.LOCKED, first);
        if (Bin.replace(array, hash, first, locked)) {
          try {
            present = overflow.nodes.putIfAbsent(node.key(), node);
            Bin.set(array, hash, first);
            return present;
          } catch (Throwable thrown) {
            array[hash & array.length - 1] = first;
            throw thrown;
          }
        }
      } else if (nodes >= Bin.CHAIN_MAX) {
        hasOverflowed = true;
        Bin.replace(array, hash, first, new OverflowLink<>(first));
      } else {
        node.nextInBin(first);
        if (Bin.replace(array, hash, first, node)) {
          return null;
        }
      }
    }
  }

  /** Removes a node. Returns whether the table had it. */
  boolean remove(Node<K, V> node) {
    boolean removed = unlink(node);
    if (removed && filling && isSampled(node.hash)) {
      sampled.decrementAndGet();
    }
    return removed;
  }

  private boolean unlink(Node<K, V> node) {
    int hash = node.hash;
    BinLink<K, V>[] array = bins;
    for (int turns = 0; ; ) {
      BinLink<K, V> first = Bin.slot(array, hash);
      if (first == null) {
        return false;
      } else if (first instanceof ForwardingLink<K, V> forwarding) {
        array = forwarding.larger;
      } else if (Bin.isBusy(first)) {
        turns = SpinWait.once(turns);
      } else if (first == node && node.nextInBin() == null) {
        if (Bin.replace(array, hash, node, null)) {
          return true;
        }
      } else {
        if (first.hash == Bin.OVERFLOWED) {
          Bin.checkStack();
        }
        BinLink<K, V> locked = new BinLink<>(Bin.LOCKED, first);
        if (Bin.replace(array, hash, first, locked)) {
          try {
            boolean unlinked = first == node || Bin.unlinkBehind(first, node);
            BinLink<K, V> firstAfter = first == node ? node.nextInBin() : first;
            if (first instanceof OverflowLink<K, V> overflow) {
              unlinked = unlinked || overflow.nodes.remove(node.key(), node);
              firstAfter = Bin.withoutOverflow(overflow);
            }
            Bin.set(array, hash, firstAfter);
            return unlinked;
          } catch (Throwable thrown) {
            array[hash & array.length - 1] = first;
            throw thrown;
          }
        }
      }
    }
  }

  // ---- Growing

  // Returns false if another thread is growing the table.
  private boolean grow(BinLink<K, V>[] tooSmall) {
    if (!GROWING.compareAndSet(this, false, true)) {
      return false;
    }
    try {
      BinLink<K, V>[] array = bins;
      ForwardingLink<K, V> forwarding = unfinished;
      if (forwarding == null && array == tooSmall) {
        forwarding = new ForwardingLink<>(Bin.newBins(2 * array.length));
        unfinished = forwarding;
      }
      if (forwarding != null) {
        for (int bin = 0; bin < array.length; bin++) {
          move(array, bin, forwarding);
        }
        bins = forwarding.larger;
        unfinished = null;
      }
      return true;
    } finally {
      growing = false;
    }
  }

  private void move(BinLink<K, V>[] array, int bin, ForwardingLink<K, V> forwarding) {
    for (int turns = 0; ; ) {
      BinLink<K, V> first = Bin.slot(array, bin);
      if (first == null) {
        if (Bin.replace(array, bin, null, forwarding)) {
          return;
        }
      } else if (first.hash == Bin.MOVED) {
        return; // moved before an error interrupted the growth
      } else if (Bin.isBusy(first)) {
        turns = SpinWait.once(turns);
      } else if (first instanceof OverflowLink<K, V> overflow) {
        if (moveOverflow(array, bin, overflow, forwarding)) {
          return;
        }
      } else {
        BinLink<K, V> moving = new BinLink<>(Bin.MOVING, first);
        if (Bin.replace(array, bin, first, moving)) {
          try {
            Bin.split(first, array.length, bin, forwarding.larger, forwarding.low, forwarding.high);
            Bin.set(array, bin, forwarding);
          } catch (Throwable thrown) {
            Node.fence = 0;
            array[bin] =
                forwarding.larger[bin] != null || forwarding.larger[bin + array.length] != null
                    ? forwarding
                    : first;
            throw thrown;
          }
          return;
        }
      }
    }
  }

  // A bin is marked as moving only once all new objects exist, including the overflow maps of both
  // halves.
  private boolean moveOverflow(
      BinLink<K, V>[] array,
      int bin,
      OverflowLink<K, V> overflow,
      ForwardingLink<K, V> forwarding) {
    Bin.checkStack();
    BinLink<K, V> locked = new BinLink<>(Bin.LOCKED, overflow);
    BinLink<K, V> moving = new BinLink<>(Bin.MOVING, overflow);
    OverflowLink<K, V> low = new OverflowLink<>(null);
    OverflowLink<K, V> high = new OverflowLink<>(null);
    if (!Bin.replace(array, bin, overflow, locked)) {
      return false;
    }
    try {
      for (Node<K, V> node : overflow.nodes.values()) {
        ((node.hash & array.length) == 0 ? low : high).nodes.put(node.key(), node);
      }
      Bin.set(array, bin, moving);
      Bin.split(overflow, array.length, bin, forwarding.larger, low, high);
      Bin.set(array, bin, forwarding);
    } catch (Throwable thrown) {
      Node.fence = 0;
      array[bin] =
          forwarding.larger[bin] != null || forwarding.larger[bin + array.length] != null
              ? forwarding
              : overflow;
      throw thrown;
    }
    removeOverflow(forwarding.larger, bin);
    removeOverflow(forwarding.larger, bin + array.length);
    return true;
  }

  // Called for a bin of the larger array once it is visible.
  private void removeOverflow(BinLink<K, V>[] array, int bin) {
    BinLink<K, V> first = Bin.slot(array, bin);
    if (first instanceof OverflowLink<K, V> overflow) {
      BinLink<K, V> locked = new BinLink<>(Bin.LOCKED, first);
      if (Bin.replace(array, bin, first, locked)) {
        try {
          Bin.set(array, bin, Bin.withoutOverflow(overflow));
        } catch (Throwable thrown) {
          array[bin] = first;
          throw thrown;
        }
      }
    }
  }

  private static boolean isSampled(int hash) {
    return (hash * 0x9E3779B9) >>> (Integer.SIZE - SAMPLE_BITS) == 0;
  }

  // ---- Filling, before the table is shared with other threads

  /** Lets the table exceed its maximum size until {@link #fit}. */
  void growBeyond() {
    filling = true;
  }

  /** Grows at once for so many nodes. No other thread may use the table meanwhile. */
  void enlarge(long nodesExpected) {
    int fitting = Math.min(binsMax, binsFor(nodesExpected / 3 * 4)); // see growFor
    if (bins.length < fitting) {
      resize(fitting);
    }
  }

  /** Resizes the table to fit so many nodes, and dissolves overflowed bins. */
  void fit(long nodesHere) {
    filling = false;
    int needed = Math.max(Math.min(BINS_MIN, binsMax), binsFor(nodesHere));
    int fitting = Math.min(binsMax, needed);
    if (unfinished != null || hasOverflowed || bins.length > Math.min(binsMax, 4L * fitting)) {
      resize(fitting);
    }
  }

  private void resize(int binsWanted) {
    List<Node<K, V>> nodes = new ArrayList<>();
    forEach(nodes::add);
    unfinished = null;
    hasOverflowed = false;
    bins = Bin.newBins(binsWanted);
    nodes.forEach(this::link);
  }

  /** The number of bins. */
  int bins() {
    return bins.length;
  }

  /** The number of overflowed bins, while no thread changes the table. */
  int overflowedBins() {
    int overflowed = 0;
    for (int bin = 0; bin < bins.length; bin++) {
      overflowed += Bin.overflowOf(Bin.slot(bins, bin)) == null ? 0 : 1;
    }
    return overflowed;
  }

  // ---- Walking

  /**
   * Iterates over the nodes, weakly consistent. Each node that is in the table throughout comes
   * exactly once, even if the table grows: the iterator keeps the array with which it began. The
   * nodes of a bin of that array are found in that bin, or in the bins into which it was split.
   */
  @Override
  public NodeIterator<K, V> iterator() {
    BinLink<K, V>[] array = bins;
    return new BinIterator(array, 0, array.length);
  }

  private final class BinIterator implements NodeIterator<K, V> {
    private final BinLink<K, V>[] array;
    private final ArrayList<Node<K, V>> ofBin = new ArrayList<>();
    private int nextBin;
    private int endBin;
    private int nextOfBin;

    BinIterator(BinLink<K, V>[] array, int nextBin, int endBin) {
      this.array = array;
      this.nextBin = nextBin;
      this.endBin = endBin;
    }

    @Override
    public @Nullable NodeIterator<K, V> split() {
      int middle = (nextBin + endBin) >>> 1;
      if (middle == nextBin) {
        return null;
      }
      BinIterator half = new BinIterator(array, middle, endBin);
      endBin = middle;
      return half;
    }

    @Override
    public long estimate() {
      return (long) endBin - nextBin + ofBin.size() - nextOfBin;
    }

    @Override
    public boolean hasNext() {
      while (nextOfBin == ofBin.size() && nextBin < endBin) {
        ofBin.clear();
        nextOfBin = 0;
        collect(array, nextBin++, ofBin);
      }
      return nextOfBin < ofBin.size();
    }

    @Override
    public Node<K, V> next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ofBin.get(nextOfBin++);
    }
  }

  private void collect(BinLink<K, V>[] array, int bin, List<Node<K, V>> nodes) {
    int before = nodes.size();
    for (int turns = 0; ; turns = SpinWait.once(turns)) {
      for (BinLink<K, V> link = Bin.slot(array, bin); link != null; link = link.nextInBin()) {
        if (link instanceof Node<K, V> node) {
          nodes.add(node);
        } else if (link instanceof OverflowLink<K, V> overflow) {
          nodes.addAll(overflow.nodes.values());
        }
      }
      BinLink<K, V> first = Bin.slot(array, bin);
      if (first == null || (first.hash != Bin.MOVING && first.hash != Bin.MOVED)) {
        return;
      }
      nodes.subList(before, nodes.size()).clear();
      if (first instanceof ForwardingLink<K, V> forwarding) {
        collect(forwarding.larger, bin, nodes);
        collect(forwarding.larger, bin + array.length, nodes);
        return;
      }
    }
  }
}
