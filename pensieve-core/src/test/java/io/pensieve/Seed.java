package io.pensieve;

import java.util.Random;

/** The seed of a random test: printed, and replayed by {@code -Dpensieve.seed=42}. */
public final class Seed {
  private Seed() {}

  /** A generator for one test, whose seed is on standard output. */
  public static Random random(Class<?> test) {
    Long given = Long.getLong("pensieve.seed");
    long seed = given != null ? given : new Random().nextLong();
    System.out.println(test.getSimpleName() + ": -Dpensieve.seed=" + seed);
    return new Random(seed);
  }
}
