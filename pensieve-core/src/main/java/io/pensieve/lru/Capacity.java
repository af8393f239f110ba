package io.pensieve.lru;

import java.util.function.ToIntBiFunction;

/**
 * The limits of a table.
 *
 * @param maximumEntries the maximum number of entries, at least 1
 * @param maximumWeight the maximum total weight; {@link #UNWEIGHTED} if entries are not weighed
 * @param weigher returns the weight of an entry, 0 or more
 */
public record Capacity<K, V>(
    long maximumEntries, long maximumWeight, ToIntBiFunction<K, V> weigher) {
  /** The maximum weight of a table that does not weigh its entries. */
  public static final long UNWEIGHTED = Long.MAX_VALUE;

  // With several threads, up to 1/128 of the maximum number of entries may wrongly seem hotter than
  // another entry.
  private static final long TOLERANCE_SHARE = 128;

  /** Whether entries are weighed. */
  public boolean isWeighted() {
    return maximumWeight != UNWEIGHTED;
  }

  /**
   * The maximum number of entries that may wrongly seem hotter than another one. Under a weight
   * bound the number of entries is unknown, so 0.
   */
  long lruErrorMax() {
    return isWeighted() ? 0 : maximumEntries / TOLERANCE_SHARE;
  }
}
