package io.pensieve.log.file;

import java.time.InstantSource;
import java.util.random.RandomGenerator;

/** Chooses the position where a session begins, so that no sequence is ever given twice. */
interface SequenceOrigin {
  /**
   * How many positions are skipped at least after an unclean end: more than could have been lost.
   */
  long POSITIONS_SKIPPED = 1L << 32;

  /**
   * The position of a session's first frame.
   *
   * @param end where the known history ends; no position before it is free
   */
  long after(long end);

  /**
   * An origin for folders that had, or have, another log: a deleted one, or one of which this is a
   * copy. Nothing in this folder shows the sequences that those gave.
   *
   * <p>So a session begins at the time of day, at 4 MiB a second. An earlier session that wrote
   * less in the long run lies before that. For faster ones, the session skips up to 2^34 random
   * positions, beyond the 2^32 that are always skipped. Then the two overlap with a probability of
   * the earlier one's length by 2^34.
   *
   * <p>Sequences stay below 2^53, which any JSON number can hold. So the time of day counts until
   * 2077 only, and from then on chance alone. The rest is for logs that are ahead of it.
   */
  static SequenceOrigin ofTime(InstantSource clock, RandomGenerator random) {
    return end -> {
      long millis = clock.millis() - TimeBased.BEGINNING_MILLIS;
      long now = Math.max(0, millis) << TimeBased.BITS_PER_MILLISECOND;
      long chance = random.nextLong(TimeBased.CHANCE_WORDS) * Format.FRAME_ALIGNMENT;
      return Math.max(end, Math.min(now, TimeBased.TIME_MAX)) + POSITIONS_SKIPPED + chance;
    };
  }

  /** The origin of {@link #ofTime}. */
  final class TimeBased {
    private static final long BEGINNING_MILLIS = 1_735_689_600_000L; // 2025-01-01T00:00Z
    private static final int BITS_PER_MILLISECOND = 12;
    private static final long CHANCE_WORDS = (1L << 34) / Format.FRAME_ALIGNMENT;
    private static final long TIME_MAX =
        3L << 51; // a clock that is far off must not use up all positions

    private TimeBased() {}
  }
}
