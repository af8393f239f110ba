package io.pensieve.replication;

/** The seed of a random test: chosen, or replayed by {@code -Dpensieve.seed=42}. */
public final class Seed {
  private Seed() {}

  /** The seed for one test, which names it when it fails. */
  public static long choose() {
    String given = System.getProperty("pensieve.seed", "");
    return given.isEmpty() ? System.nanoTime() : Long.parseLong(given);
  }
}
