package io.pensieve;

import io.pensieve.log.LogStatistics;
import java.time.Duration;

/**
 * The counters of a map since it was opened, and its current size. While threads use the map, the
 * numbers are not from one instant. All except {@code entries}, {@code weight} and {@code log} are
 * 0 unless the map was built to {@linkplain PensieveBuilder#recordStatistics() record} them.
 *
 * @param hits the number of reads that found a value: by {@code get}, {@code getOrDefault}, {@code
 *     getVersioned}, {@code getAsync} and {@code computeIfAbsent}
 * @param misses the number of these reads that found none
 * @param puts the number of values written, by any method
 * @param removals the number of entries that callers removed
 * @param evictions the number of entries evicted because of the bounds
 * @param expiries the number of entries removed because they expired
 * @param loads how many times a function given to {@code computeIfAbsent}, {@code get}, {@code
 *     getAll} or {@link PensieveBuilder#refreshAfterWrite} returned a value, or several at once
 * @param loadFailures how many times such a function returned nothing, or threw
 * @param loadTime how long these functions took together
 * @param entries the number of entries
 * @param weight their total weight; their number, if they are not weighed
 * @param log the log's own counters since then and its current state; always recorded, all zero if
 *     the log has none
 */
public record Statistics(
    long hits,
    long misses,
    long puts,
    long removals,
    long evictions,
    long expiries,
    long loads,
    long loadFailures,
    Duration loadTime,
    long entries,
    long weight,
    LogStatistics log) {

  /** The share of reads that found a value, from 0 to 1; 1 if there were none. */
  public double hitRatio() {
    long reads = hits + misses;
    return reads == 0 ? 1 : (double) hits / reads;
  }
}
