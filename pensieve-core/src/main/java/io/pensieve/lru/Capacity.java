package io.pensieve.lru;

import java.util.function.ToIntBiFunction;

/**
 * What a table may hold.
 *
 * @param maximumEntries how many entries, at least 1
 * @param maximumWeight what they may weigh together; {@link #UNWEIGHTED} if that is not asked for
 * @param weigher what an entry weighs, 0 or more
 */
public record Capacity<K, V>(
    long maximumEntries, long maximumWeight, ToIntBiFunction<K, V> weigher) {
  /** The maximum weight of a table that does not weigh its entries. */
  public static final long UNWEIGHTED = Long.MAX_VALUE;

  // If several threads use the table, 1/128 of its entries may be taken for hotter than another one
  // wrongly.
  private static final long TOLERANCE_SHARE = 128;

  /** Whether entries are weighed. */
  public boolean isWeighted() {
    return maximumWeight != UNWEIGHTED;
  }

  /**
   * How many entries may be taken for hotter than another one wrongly. Where the weight is the
   * bound, how many entries there will be is not known: none.
   */
  long lruErrorMax() {
    return isWeighted() ? 0 : maximumEntries / TOLERANCE_SHARE;
  }
}
