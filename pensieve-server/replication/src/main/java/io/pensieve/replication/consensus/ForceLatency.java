package io.pensieve.replication.consensus;

/**
 * How long a member's disk takes to force its log.
 *
 * @param forces how many forces there were since the start
 * @param medianNanos what half of the last ones took at most
 * @param percentile99Nanos what 99 of 100 of the last ones took at most
 * @param longestNanos the longest of the last ones
 */
public record ForceLatency(
    long forces, long medianNanos, long percentile99Nanos, long longestNanos) {
  /** No forces yet. */
  public static final ForceLatency NONE = new ForceLatency(0, 0, 0, 0);
}
