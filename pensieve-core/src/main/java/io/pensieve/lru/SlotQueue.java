package io.pensieve.lru;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A priority queue of nodes by stamp, in arrays by slot. Stamps grow at any time without a
 * notification; the queue reads them when it needs them. Not thread-safe.
 *
 * <p>Invariant: every node with a stamp up to {@link #threshold} is among the candidates, with that
 * stamp or a smaller one. For stamps only grow; a node that is added with such a stamp is inserted,
 * and so is one whose stamp has grown, but not beyond the threshold. That happens only while a log
 * is replayed. So the coldest candidate that still has its stamp is the coldest node. If none is
 * left, one pass over the stamps collects about an eighth of the slots: all up to a new threshold,
 * which comes from a sample.
 *
 * <p>The candidates are in two arrays. {@link #batch} is sorted and has the coldest. If it is used
 * up, the coldest few thousand of {@link #cold} become the next one. So whatever was used in
 * between, an addition takes some steps, and a removal at worst one pass over an array of longs,
 * two over an eighth of it, and a sort of a few thousand. Each is done again only after as many
 * removals or uses as its result has candidates.
 *
 * <p>A victim keeps its slot until it is dead. It waits in {@link #lastVictims}, then in {@link
 * #leaving}. Then a new node gets the slot. So an evicting write takes the order's lock once, and
 * looks first at the thread's own last victim, whose state no other processor has written. So that
 * one is no garbage before the thread's next eviction or removal.
 *
 * <p>A stamp may become smaller, if a thread stores an older use late. Such a node is found at the
 * latest by the next pass.
 */
final class SlotQueue<K, V> {
  private static final int FIRST_CHUNK = RecencyClock.chunk(RecencyClock.FIRST_SLOT);
  private static final int SHARE = 8; // of the slots are candidates
  private static final int CANDIDATES_MIN = 2048; // or so many: a sample must pay
  private static final int SAMPLE = 512;
  private static final int SORTED_AT_ONCE = 4096; // candidates, or slots
  private static final int MOVES_MAX = 8; // for each candidate, in a batch that is nearly sorted
  private static final int STRIPES = 16; // of threads
  private static final int ROOM_IN_FRONT = 16; // of the batch, for nodes that come back
  private static final int PASSES_MAX = 8;

  // A candidate is a number: the distance of its stamp from `base`, then its slot.
  private static final int SLOT_BITS = 31;
  private static final long SLOT_MASK = (1L << SLOT_BITS) - 1;
  private static final long DISTANCE_MAX = (1L << (Long.SIZE - 1 - SLOT_BITS)) - 1;

  private final RecencyClock clock;
  private final long slotsWanted;
  private @Nullable Node<K, V>[][] owners; // by chunk and place
  private int slotsEnd = RecencyClock.FIRST_SLOT;

  private int[] free = {}; // slots that dead nodes had
  private int frees;
  private Deque<Node<K, V>> leaving = new ArrayDeque<>(); // victims, the first one chosen first
  private final @Nullable Node<K, V>[] lastVictims = newNodes(STRIPES); // by thread, likewise

  private long threshold; // 0: there are no candidates
  private long base;
  private long[] cold = {};
  private int colds;
  private long[] batch = {};
  private int next;
  private int end;
  private int stale; // of the batch: used after they were collected
  private long batchLast; // all candidates up to this one are in the batch
  private long polledStamp;

  SlotQueue(RecencyClock clock, long entriesMax) {
    this.clock = clock;
    this.slotsWanted = Math.min(entriesMax, 1 << 29) + Math.min(entriesMax >> 6, 1 << 20) + 64;
    this.owners = newOwners(RecencyClock.CHUNKS);
  }

  // ---- Slots

  /** One more than the largest slot so far. */
  int slotsEnd() {
    return slotsEnd;
  }

  /** Returns a slot that no node has had. */
  int newSlot() {
    int slot = slotsEnd;
    int chunk = RecencyClock.chunk(slot);
    int place = RecencyClock.place(slot, chunk);
    if (place == 0) {
      int length = length(slot);
      clock.addChunk(chunk, length);
      owners[chunk] = newNodes(length);
    }
    slotsEnd = place + 1 < owners[chunk].length ? slot + 1 : Integer.highestOneBit(slot) << 1;
    return slot;
  }

  // A chunk begins at a power of two, and is as long, unless the table needs less for good.
  private int length(int start) {
    long wanted = slotsWanted + RecencyClock.FIRST_SLOT - start;
    return wanted > 0 && wanted < start ? (int) wanted : start;
  }

  /** Whether this node is here. */
  boolean has(Node<K, V> node) {
    int slot = node.slot();
    return slot >= RecencyClock.FIRST_SLOT && owner(slot) == node;
  }

  @Nullable Node<K, V> owner(int slot) {
    int chunk = RecencyClock.chunk(slot);
    @Nullable Node<K, V>[] present = owners[chunk];
    int place = RecencyClock.place(slot, chunk);
    return present == null || place >= present.length ? null : present[place];
  }

  /** Whether there is such a slot below {@link #slotsEnd}: chunks may end early. */
  boolean isSlot(int slot) {
    int chunk = RecencyClock.chunk(slot);
    return owners[chunk] != null && RecencyClock.place(slot, chunk) < owners[chunk].length;
  }

  private void own(int slot, @Nullable Node<K, V> node) {
    int chunk = RecencyClock.chunk(slot);
    owners[chunk][RecencyClock.place(slot, chunk)] = node;
  }

  /** Returns a slot for a new node. */
  int takeSlot() {
    if (frees == 0) {
      freeLastVictims();
    }
    return frees > 0 ? free[--frees] : newSlot();
  }

  /** Frees the slot of the thread's own last victim if it is dead, or else those of the oldest. */
  void freeLastVictims() {
    int stripe = stripe();
    Node<K, V> last = lastVictims[stripe];
    if (last != null && hasLeft(last)) {
      lastVictims[stripe] = null;
      return;
    }
    for (Node<K, V> oldest; (oldest = leaving.peekFirst()) != null && hasLeft(oldest); ) {
      leaving.removeFirst();
    }
  }

  // Whether the node is no victim any more. If not, its evictor has not decided yet.
  private boolean hasLeft(Node<K, V> victim) {
    if (victim.position == Node.RETURNED) {
      victim.position = Node.INSIDE;
    } else if (victim.isDead()) {
      free(victim);
    } else {
      return false;
    }
    return true;
  }

  private static int stripe() {
    return (int) Thread.currentThread().getId() & STRIPES - 1;
  }

  void free(Node<K, V> node) {
    int slot = node.slot();
    node.position = Node.OUTSIDE;
    node.slot(0);
    if (slot >= RecencyClock.FIRST_SLOT) {
      free(slot);
    }
  }

  void free(int slot) {
    if (frees == free.length) {
      free = Arrays.copyOf(free, Math.max(16, 2 * frees));
    }
    free[frees++] = slot;
  }

  /** Keeps the slot of a node that was removed as a victim, until it is dead or comes back. */
  void keepSlot(Node<K, V> victim) {
    boolean isNew = victim.position == Node.INSIDE;
    victim.position = Node.LEAVING;
    if (isNew) {
      int stripe = stripe();
      Node<K, V> last = lastVictims[stripe];
      if (last != null) {
        leaving.addLast(last);
      }
      lastVictims[stripe] = victim;
    }
  }

  /** All slots without a node are free now, and there are no victims. */
  void freeUnused() {
    for (int slot = RecencyClock.FIRST_SLOT; slot < slotsEnd(); slot++) {
      if (isSlot(slot) && owner(slot) == null) {
        free(slot);
      }
    }
  }

  // ---- Nodes

  /** Adds a node that is not here and has a slot of its own. */
  void add(Node<K, V> node, long stamp) {
    own(node.slot(), node);
    if (stamp <= threshold) {
      insert(node.slot(), stamp);
    }
  }

  /** Removes a node that is here. */
  void remove(Node<K, V> node) {
    own(node.slot(), null);
  }

  /** Removes all nodes. Their slots stay taken. */
  void clear() {
    forgetFreeSlots();
    for (@Nullable Node<K, V>[] chunk : owners) {
      if (chunk != null) {
        Arrays.fill(chunk, null);
      }
    }
    forgetCandidates();
  }

  /** Removes all nodes, and forgets the slots. */
  void reset() {
    forgetFreeSlots();
    owners = newOwners(RecencyClock.CHUNKS);
    slotsEnd = RecencyClock.FIRST_SLOT;
    forgetCandidates();
  }

  private void forgetFreeSlots() {
    leaving = new ArrayDeque<>();
    Arrays.fill(lastVictims, null);
    frees = 0;
  }

  private void forgetCandidates() {
    threshold = 0;
    colds = 0;
    stale = 0;
    next = 0;
    end = 0;
  }

  /** The stamp with which the last node was taken. */
  long polledStamp() {
    return polledStamp;
  }

  /** Removes and returns the least recently used node; null if there is none. */
  @Nullable Node<K, V> removeColdest() {
    for (int passes = 0; ; ) {
      while (next < end) {
        long candidate = batch[next++];
        int slot = (int) (candidate & SLOT_MASK);
        int chunk = RecencyClock.chunk(slot);
        int place = RecencyClock.place(slot, chunk);
        Node<K, V> node = owners[chunk][place];
        if (node == null) {
          continue;
        }
        polledStamp = clock.stampAt(chunk, place);
        // A table that is used all the time at all its entries still gives one away.
        if (polledStamp == base + (candidate >>> SLOT_BITS) || passes > PASSES_MAX) {
          owners[chunk][place] = null;
          return node;
        }
        stale++;
        if (polledStamp <= threshold) {
          insert(slot, polledStamp);
        }
      }
      if (colds > 0) {
        takeBatch();
      } else if (collect()) {
        passes++;
      } else {
        return null;
      }
    }
  }

  // ---- Candidates

  private long candidate(int slot, long stamp) {
    return (stamp - base) << SLOT_BITS | slot;
  }

  // A node that came back, or that was stamped long ago.
  private void insert(int slot, long stamp) {
    long added = candidate(slot, stamp);
    if (stamp < base || next == 0) {
      forgetCandidates();
    } else if (added > batchLast) {
      cold = withRoom(cold, colds);
      cold[colds++] = added;
    } else {
      int at = --next;
      for (; at + 1 < end && batch[at + 1] < added; at++) {
        batch[at] = batch[at + 1];
      }
      batch[at] = added;
    }
  }

  // Returns false if there are no nodes.
  private boolean collect() {
    forgetCandidates();
    long limit = nextThreshold();
    long coldest = collectUpTo(limit);
    if (colds == 0) { // no node was among the sample, or all were used since
      limit = coldestOfAll();
      if (limit < 0) {
        return false;
      }
      coldest = collectUpTo(limit);
    }
    if (coldest < base) { // few are that far apart: then only the coldest of them
      coldest = collectUpTo(coldest + DISTANCE_MAX);
    }
    assert coldest >= base : "no stamp becomes smaller";
    return true;
  }

  // Returns the coldest stamp up to that one. If it is below `base`, it is not collected.
  private long collectUpTo(long limit) {
    threshold = limit;
    base = limit - DISTANCE_MAX;
    colds = 0;
    long coldest = limit;
    for (int chunk = FIRST_CHUNK; chunk >= 0 && owners[chunk] != null; chunk--) {
      @Nullable Node<K, V>[] present = owners[chunk];
      int start = Integer.MIN_VALUE >>> chunk;
      int places = Math.min(present.length, slotsEnd - start);
      long[] stamps = clock.onlyStamps(chunk);
      for (int place = 0; place < places; place++) {
        long stamp =
            stamps == null ? clock.stampAt(chunk, place) : RecencyClock.stampAt(stamps, place);
        if (stamp <= limit && present[place] != null) {
          coldest = Math.min(coldest, stamp);
          cold = withRoom(cold, colds);
          cold[colds++] = candidate(start + place, Math.max(stamp, base));
        }
      }
    }
    return coldest;
  }

  // The stamp up to which about an eighth of the slots will be candidates; all, if they are few.
  private long nextThreshold() {
    int slots = slotsEnd - RecencyClock.FIRST_SLOT;
    if (slots <= SORTED_AT_ONCE) {
      return clock.latest();
    }
    long[] sample = new long[SAMPLE];
    int step = slots / SAMPLE;
    int found = 0;
    for (int i = 0; i < SAMPLE; i++) {
      int slot = RecencyClock.FIRST_SLOT + i * step;
      if (owner(slot) != null) {
        sample[found++] = clock.stampAt(slot);
      }
    }
    if (found == 0) {
      return 0;
    }
    Arrays.sort(sample, 0, found);
    return sample[Math.min(found - 1, rank(Math.max(slots / SHARE, CANDIDATES_MIN), slots))];
  }

  private long coldestOfAll() {
    long coldest = -1;
    for (int slot = RecencyClock.FIRST_SLOT; slot < slotsEnd; slot++) {
      if (owner(slot) != null) {
        long stamp = clock.stampAt(slot);
        coldest = coldest < 0 ? stamp : Math.min(coldest, stamp);
      }
    }
    return coldest;
  }

  private void takeBatch() {
    if (stale > 0 && 2 * stale > end - ROOM_IN_FRONT) {
      dropStale();
    }
    stale = 0;
    long limit = Long.MAX_VALUE;
    if (colds > 2 * SORTED_AT_ONCE) {
      long[] sample = new long[SAMPLE];
      for (int i = 0; i < SAMPLE; i++) {
        sample[i] = cold[(int) ((long) i * colds / SAMPLE)];
      }
      Arrays.sort(sample);
      limit = sample[rank(SORTED_AT_ONCE, colds)];
    }
    next = ROOM_IN_FRONT;
    end = ROOM_IN_FRONT;
    int left = 0;
    for (int i = 0; i < colds; i++) {
      long candidate = cold[i];
      if (candidate <= limit) {
        batch = withRoom(batch, end);
        batch[end++] = candidate;
      } else {
        cold[left++] = candidate;
      }
    }
    colds = left;
    batchLast = limit;
    sortBatch();
  }

  // Slots are given out in the order of age. So the batch often is nearly sorted, but begins in the
  // middle.
  private void sortBatch() {
    int coldest = next;
    for (int i = next; i < end; i++) {
      coldest = batch[i] < batch[coldest] ? i : coldest;
    }
    if (coldest > next) {
      long[] front = Arrays.copyOfRange(batch, next, coldest);
      System.arraycopy(batch, coldest, batch, next, end - coldest);
      System.arraycopy(front, 0, batch, end - front.length, front.length);
    }
    int movesLeft = MOVES_MAX * (end - next);
    for (int i = next + 1; i < end; i++) {
      long moved = batch[i];
      int at = i;
      for (; batch[at - 1] > moved; at--) { // the first one is the coldest
        batch[at] = batch[at - 1];
      }
      batch[at] = moved;
      movesLeft -= i - at;
      if (movesLeft < 0) {
        Arrays.sort(batch, next, end);
        return;
      }
    }
  }

  // How many of a sample are below, if so many of all are to be.
  private static int rank(int wanted, int all) {
    return (int) Math.min(SAMPLE - 1, (long) SAMPLE * wanted / all);
  }

  // Of what is in the batch, most was used. So it may be with the rest.
  private void dropStale() {
    int left = 0;
    for (int i = 0; i < colds; i++) {
      int slot = (int) (cold[i] & SLOT_MASK);
      long stamp = clock.stampAt(slot);
      if (stamp <= threshold) {
        cold[left++] = candidate(slot, Math.max(stamp, base));
      }
    }
    colds = left;
  }

  private static long[] withRoom(long[] array, int used) {
    return used < array.length
        ? array
        : Arrays.copyOf(array, Math.max(2 * ROOM_IN_FRONT, 2 * used));
  }

  @SuppressWarnings("unchecked") // Java has no other way to create a generic array
  private static <K, V> @Nullable Node<K, V>[] newNodes(int length) {
    return (Node<K, V>[]) new Node<?, ?>[length];
  }

  @SuppressWarnings("unchecked") // likewise
  private static <K, V> @Nullable Node<K, V>[][] newOwners(int length) {
    return (Node<K, V>[][]) new Node<?, ?>[length][];
  }
}
