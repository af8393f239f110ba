package io.pensieve;

import io.pensieve.log.LogStatistics;

/**
 * What a map has done since it was opened, and what it holds. While threads use the map the numbers
 * are not of one instant. All but {@code entries}, {@code weight} and {@code log} are 0 unless the
 * map was told to {@linkplain PensieveBuilder#recordStatistics() record} them.
 *
 * @param hits how many reads of a key's value found one: by {@code get}, {@code getOrDefault},
 *     {@code getVersioned}, {@code getAsync} and {@code computeIfAbsent}
 * @param misses how many of these found none
 * @param puts how many values were written, by whichever method
 * @param removals how many entries callers removed
 * @param evictions how many entries the bound drove out
 * @param expiries how many entries were removed because their time was over
 * @param loads how many times a function given to {@code computeIfAbsent} was run and came back
 *     with a value
 * @param entries how many entries there are
 * @param weight what they weigh; their number, if they are not weighed
 * @param log what the log has done since then, and how it stands; recorded always, all zero if the
 *     log does not say
 */
public record Statistics(
    long hits,
    long misses,
    long puts,
    long removals,
    long evictions,
    long expiries,
    long loads,
    long entries,
    long weight,
    LogStatistics log) {

  /** The share of reads that found a value, from 0 to 1; 1 if there were none. */
  public double hitRatio() {
    long reads = hits + misses;
    return reads == 0 ? 1 : (double) hits / reads;
  }
}
