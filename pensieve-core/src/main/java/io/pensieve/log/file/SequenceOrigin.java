package io.pensieve.log.file;

import java.time.InstantSource;
import java.util.random.RandomGenerator;

/** Where a log goes on when it is opened, so that none of its sequences was ever given before. */
interface SequenceOrigin {
  /**
   * The position of the first frame of a life.
   *
   * @param end where the history ends that is known; no position before it is free
   */
  long after(long end);

  /**
   * An origin for folders that others may have been before, or may be beside: one that was deleted,
   * one of which this is a copy. Nothing in this folder tells of the sequences that were given
   * there.
   *
   * <p>So positions begin at the time of day, at 4 MiB a second: an earlier life that has written
   * less in the long run lies before that. For one that has written faster, some 2^34 positions are
   * skipped by chance, beyond the 2^32 that are skipped always: then the two overlap with a
   * probability of its length by 2^34.
   *
   * <p>Sequences stay below 2^53, which any JSON number can hold. Hence the time of day counts
   * until 2077 only, and chance alone from then on: the rest is for logs that are ahead of it.
   */
  static SequenceOrigin ofTime(InstantSource clock, RandomGenerator random) {
    return end -> {
      long millis = clock.millis() - TimeBased.BEGINNING_MILLIS;
      long now = Math.max(0, millis) << TimeBased.BITS_PER_MILLISECOND;
      long chance = random.nextLong(TimeBased.CHANCE_WORDS) * Format.FRAME_ALIGNMENT;
      return Math.max(end, Math.min(now, TimeBased.TIME_MAX))
          + EndOfRecovery.POSITIONS_SKIPPED
          + chance;
    };
  }

  /** The numbers of {@link #ofTime}. */
  final class TimeBased {
    private static final long BEGINNING_MILLIS = 1_735_689_600_000L; // 2025-01-01T00:00Z
    private static final int BITS_PER_MILLISECOND = 12;
    private static final long CHANCE_WORDS = (1L << 34) / Format.FRAME_ALIGNMENT;
    private static final long TIME_MAX =
        3L << 51; // a clock that is far off must not use all of them

    private TimeBased() {}
  }
}
