package io.pensieve.lru;

import java.util.function.ToLongBiFunction;

/**
 * The limits of a table. {@link CapacityChange} may change them while the table is in use; whether
 * entries are weighed never changes.
 */
public final class Capacity<K, V> {
  /** The maximum weight of a table that does not weigh its entries. */
  public static final long UNWEIGHTED = Long.MAX_VALUE;

  // With several threads, up to 1/128 of the entries may wrongly seem hotter than another entry.
  private static final long TOLERANCE_SHARE = 128;

  private final ToLongBiFunction<K, V> weigher;

  // Volatile: a thread that lowers a bound stores it and then looks for nodes that are being
  // computed; a thread that ends a computation stores the node's state and then reads the bound. So
  // one of them sees the overflow: see Evictor.
  private volatile long maximumEntries;
  private volatile long maximumWeight; // of an entry that is written, too
  private volatile long weightToKeep; // above it entries are evicted

  /**
   * Creates limits.
   *
   * @param maximumEntries the maximum number of entries, at least 1
   * @param maximumWeight the maximum total weight; {@link #UNWEIGHTED} if entries are not weighed
   * @param weigher returns the weight of an entry, 0 or more
   */
  public Capacity(long maximumEntries, long maximumWeight, ToLongBiFunction<K, V> weigher) {
    this.maximumEntries = maximumEntries;
    this.maximumWeight = maximumWeight;
    this.weightToKeep = maximumWeight;
    this.weigher = weigher;
  }

  /** The maximum number of entries. */
  public long maximumEntries() {
    return maximumEntries;
  }

  /** The maximum total weight; {@link #UNWEIGHTED} if entries are not weighed. */
  public long maximumWeight() {
    return maximumWeight;
  }

  /** Returns the weight of an entry, 0 or more. */
  public ToLongBiFunction<K, V> weigher() {
    return weigher;
  }

  void maximumEntries(long maximum) {
    maximumEntries = maximum;
  }

  void maximumWeight(long maximum) {
    maximumWeight = maximum;
  }

  /**
   * The total weight above which entries are evicted. It follows a smaller maximum only when no
   * entry is heavier than that alone.
   */
  long weightToKeep() {
    return weightToKeep;
  }

  void weightToKeep(long maximum) {
    weightToKeep = maximum;
  }

  /** Whether entries are weighed. */
  public boolean isWeighted() {
    return maximumWeight != UNWEIGHTED;
  }

  /**
   * Checks that an entry of this weight may be in the table.
   *
   * @throws IllegalArgumentException if it alone exceeds the maximum
   */
  public void checkWeight(long weight) {
    long maximum = maximumWeight;
    if (weight > maximum) {
      throw new IllegalArgumentException(
          "the entry weighs " + weight + ", more than the map's maximum of " + maximum);
    }
  }

  /**
   * The sum of two weights, each 0 or more; {@link Long#MAX_VALUE} if it is larger. That exceeds
   * every maximum of a table that weighs its entries.
   */
  static long sum(long weight, long other) {
    long sum = weight + other;
    return sum < 0 ? Long.MAX_VALUE : sum;
  }

  /**
   * The maximum number of entries that may wrongly seem hotter than another one. Under a weight
   * bound it is a share of the entries that are there, because how many fit is unknown.
   */
  long lruErrorMax(int size) {
    return (isWeighted() ? size : maximumEntries) / TOLERANCE_SHARE;
  }
}
