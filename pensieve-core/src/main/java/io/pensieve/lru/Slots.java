package io.pensieve.lru;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which node owns a slot, and which slots are free. Slots are numbers from {@link
 * RecencyClock#FIRST_SLOT} on; {@link RecencyClock} has their stamps. Not thread-safe.
 *
 * <p>A slot is in one of three states: a node owns it; it is free; or it is taken without an owner,
 * by a victim that may come back or for an entry that is being restored. So it is freed once only,
 * by whoever had it.
 */
final class Slots<K, V> {
  private final RecencyClock clock;
  private final long slotsWanted;
  private @Nullable Node<K, V>[][] owners; // by chunk and place
  private int end = RecencyClock.FIRST_SLOT;
  private int[] free = {};
  private int frees;

  Slots(RecencyClock clock, long entriesMax) {
    this.clock = clock;
    this.slotsWanted = Math.min(entriesMax, 1 << 29) + Math.min(entriesMax >> 6, 1 << 20) + 64;
    this.owners = newOwners(RecencyClock.CHUNKS);
  }

  /** One more than the largest slot so far. */
  int end() {
    return end;
  }

  /** Returns a slot that no node has had. */
  int add() {
    int slot = end;
    int chunk = RecencyClock.chunk(slot);
    int place = RecencyClock.place(slot, chunk);
    if (place == 0) {
      int length = length(slot);
      clock.addChunk(chunk, length);
      owners[chunk] = newNodes(length);
    }
    end = place + 1 < owners[chunk].length ? slot + 1 : Integer.highestOneBit(slot) << 1;
    return slot;
  }

  // A chunk begins at a power of two, and is as long, unless the table needs less for good.
  private int length(int start) {
    long wanted = slotsWanted + RecencyClock.FIRST_SLOT - start;
    return wanted > 0 && wanted < start ? (int) wanted : start;
  }

  /** Takes a free slot, or one that no node has had. */
  int take() {
    return frees > 0 ? free[--frees] : add();
  }

  /** Whether {@link #take} returns a slot that a node has had. */
  boolean hasFree() {
    return frees > 0;
  }

  /** Frees a slot without an owner. */
  void free(int slot) {
    if (frees == free.length) {
      free = Arrays.copyOf(free, Math.max(16, 2 * frees));
    }
    free[frees++] = slot;
  }

  /** Frees all slots without an owner. None is free before. */
  void freeUnowned() {
    for (int slot = RecencyClock.FIRST_SLOT; slot < end; slot++) {
      if (isSlot(slot) && owner(slot) == null) {
        free(slot);
      }
    }
  }

  // Chunks may end early.
  private boolean isSlot(int slot) {
    int chunk = RecencyClock.chunk(slot);
    return owners[chunk] != null && RecencyClock.place(slot, chunk) < owners[chunk].length;
  }

  /** Whether this node owns its slot. */
  boolean has(Node<K, V> node) {
    int slot = node.slot();
    return slot >= RecencyClock.FIRST_SLOT && owner(slot) == node;
  }

  /** The owner of a slot; null also if there is no such slot. */
  @Nullable Node<K, V> owner(int slot) {
    int chunk = RecencyClock.chunk(slot);
    @Nullable Node<K, V>[] present = owners[chunk];
    int place = RecencyClock.place(slot, chunk);
    return present == null || place >= present.length ? null : present[place];
  }

  /** Changes the owner of a slot that is not free. */
  void own(int slot, @Nullable Node<K, V> node) {
    int chunk = RecencyClock.chunk(slot);
    owners[chunk][RecencyClock.place(slot, chunk)] = node;
  }

  /** The owners in a chunk; null if it has not been added. Beyond {@link #end} there are none. */
  @Nullable Node<K, V> @Nullable [] owners(int chunk) {
    return owners[chunk];
  }

  /** No slot has an owner, and none is free. */
  void clear() {
    frees = 0;
    for (@Nullable Node<K, V>[] chunk : owners) {
      if (chunk != null) {
        Arrays.fill(chunk, null);
      }
    }
  }

  /** Forgets all slots. */
  void reset() {
    frees = 0;
    owners = newOwners(RecencyClock.CHUNKS);
    end = RecencyClock.FIRST_SLOT;
  }

  @SuppressWarnings("unchecked") // Java has no other way to create a generic array
  static <K, V> @Nullable Node<K, V>[] newNodes(int length) {
    return (Node<K, V>[]) new Node<?, ?>[length];
  }

  @SuppressWarnings("unchecked") // likewise
  private static <K, V> @Nullable Node<K, V>[][] newOwners(int length) {
    return (Node<K, V>[][]) new Node<?, ?>[length][];
  }
}
