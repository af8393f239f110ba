package io.pensieve.lru;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A priority queue of nodes by stamp, in arrays by slot. Stamps grow at any time without a
 * notification; the queue reads them when it needs them. Not thread-safe.
 *
 * <p>Invariant: every node with a stamp up to the threshold is among the candidates, with that
 * stamp or a smaller one. For stamps only grow; a node that is added with such a stamp is inserted,
 * and so is one whose stamp has grown, but not beyond the threshold. That happens only while a log
 * is replayed. So the coldest candidate that still has its stamp is the coldest node. If none is
 * left, one pass over the stamps collects about one of {@link #SHARE} slots: all up to a new
 * threshold, which comes from a sample.
 *
 * <p>So whatever was used in between, an addition takes some steps, and a removal at worst one pass
 * over all stamps, three over the candidates, and a sort by radix of a few thousand. Each is done
 * again only after as many removals or uses as its result has candidates.
 *
 * <p>A stamp may become smaller, if a thread stores an older use late. Such a node is found at the
 * latest by the next pass.
 */
final class ColdestQueue<K, V> {
  private static final int FIRST_CHUNK = RecencyClock.chunk(RecencyClock.FIRST_SLOT);

  // With more candidates the pass over all stamps comes more seldom, but each batch of them takes a
  // longer pass over the rest.
  private static final int SHARE = 16;

  private static final int ALL_AT_ONCE = 4096; // of so few slots, all are candidates
  private static final int CANDIDATES_MIN = 2048; // a sample must pay
  private static final int SAMPLE = 512;
  private static final int PASSES_MAX = 8;
  private static final int BLOCK = 1024;

  private final RecencyClock clock;
  private final Slots<K, V> slots;
  private final ColdestSlots candidates = new ColdestSlots();
  private long polledStamp;
  private long steps;

  ColdestQueue(RecencyClock clock, Slots<K, V> slots) {
    this.clock = clock;
    this.slots = slots;
  }

  /** Adds a node that is not here and has a slot of its own. */
  void add(Node<K, V> node, long stamp) {
    int slot = node.slot();
    slots.own(slot, node);
    if (stamp <= candidates.threshold()) {
      candidates.insert(slot, stamp);
    }
  }

  /** Removes all nodes. Their slots stay taken. */
  void clear() {
    slots.clear();
    candidates.clear();
  }

  /** Removes all nodes, and forgets the slots. */
  void reset() {
    slots.reset();
    candidates.clear();
  }

  /** The stamp with which the last node was taken. */
  long polledStamp() {
    return polledStamp;
  }

  /** How many stamps and candidates were looked at in passes over all of them. */
  long steps() {
    return steps;
  }

  /** Removes and returns the least recently used node; null if there is none. */
  @Nullable Node<K, V> removeColdest() {
    for (int passes = 0; ; ) {
      while (candidates.hasNext()) {
        int slot = candidates.next();
        Node<K, V> node = slots.owner(slot);
        if (node == null) {
          continue;
        }
        long stamp = clock.stampAt(slot);
        // A table that is used all the time at all its entries still gives one away.
        if (stamp == candidates.nextStamp() || passes > PASSES_MAX) {
          slots.own(slot, null);
          polledStamp = stamp;
          return node;
        }
        candidates.wasUsed(slot, stamp);
      }
      if (!candidates.isEmpty()) {
        steps += candidates.sortMore(clock);
      } else if (collect()) {
        passes++;
      } else {
        return null;
      }
    }
  }

  // Returns false if there are no nodes.
  private boolean collect() {
    long limit = nextThreshold();
    long coldest = collectUpTo(limit);
    if (candidates.isEmpty()) { // no node was among the sample, or all were used since
      limit = coldestOfAll();
      if (limit < 0) {
        return false;
      }
      coldest = collectUpTo(limit);
    }
    if (coldest < candidates.lowest()) { // few are that far apart: then only the coldest of them
      coldest = collectUpTo(ColdestSlots.thresholdFrom(coldest));
    }
    assert coldest >= candidates.lowest() : "no stamp becomes smaller";
    return true;
  }

  // Returns the coldest stamp up to that one.
  private long collectUpTo(long limit) {
    candidates.begin(limit);
    long coldest = limit;
    for (int chunk = FIRST_CHUNK; chunk >= 0; chunk--) {
      @Nullable Node<K, V>[] owners = slots.owners(chunk);
      if (owners == null) {
        break;
      }
      int places = Math.min(owners.length, slots.end() - (Integer.MIN_VALUE >>> chunk));
      steps += places;
      for (int place = 0; place < places; place += BLOCK) {
        int end = Math.min(places, place + BLOCK);
        coldest = Math.min(coldest, collectBlock(chunk, owners, place, end, limit));
      }
    }
    return coldest;
  }

  // A method of its own, so that not all of a process's first pass runs in the interpreter. For the
  // same reason it reads stamps plainly. While an entry is being used, that may be an older stamp,
  // or half of one on a processor of 32 bits. Then it is no candidate, or not for long.
  private long collectBlock(
      int chunk, @Nullable Node<K, V>[] owners, int from, int end, long limit) {
    long[] stamps = clock.onlyStamps(chunk);
    long coldest = limit;
    for (int place = from; place < end; place++) {
      long stamp = stamps == null ? clock.stampAt(chunk, place) : stamps[place];
      if (stamp <= limit && owners[place] != null) {
        coldest = Math.min(coldest, stamp);
        candidates.collect((Integer.MIN_VALUE >>> chunk) + place, stamp);
      }
    }
    return coldest;
  }

  // The stamp up to which about as many slots as should be will be candidates. All, if few.
  private long nextThreshold() {
    int count = slots.end() - RecencyClock.FIRST_SLOT;
    if (count <= ALL_AT_ONCE) {
      return clock.latest();
    }
    long[] sample = new long[SAMPLE];
    int step = count / SAMPLE;
    int found = 0;
    for (int i = 0; i < SAMPLE; i++) {
      int slot = RecencyClock.FIRST_SLOT + i * step;
      if (slots.owner(slot) != null) {
        sample[found++] = clock.stampAt(slot);
      }
    }
    if (found == 0) {
      return 0;
    }
    Arrays.sort(sample, 0, found);
    return sample[(int) Math.min(found - 1, rank(Math.max(count / SHARE, CANDIDATES_MIN), count))];
  }

  // How many of a sample are below, if so many of all are to be.
  private static long rank(int wanted, int all) {
    return (long) SAMPLE * wanted / all;
  }

  private long coldestOfAll() {
    long coldest = -1;
    for (int slot = RecencyClock.FIRST_SLOT; slot < slots.end(); slot++) {
      if (slots.owner(slot) != null) {
        long stamp = clock.stampAt(slot);
        coldest = coldest < 0 ? stamp : Math.min(coldest, stamp);
      }
    }
    return coldest;
  }
}
