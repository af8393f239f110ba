package io.pensieve.testing;

import java.util.Random;
import java.util.stream.LongStream;

/**
 * The seeds of random tests. Each is a new one, or the one of {@code -Dpensieve.seed=42}, which
 * makes the same random choices again.
 */
public final class Seed {
  private Seed() {}

  /** Returns a generator for one test, whose seed it prints. */
  public static Random random(Class<?> test) {
    return new Random(printed(test));
  }

  /** Returns a seed for one test, and prints it. */
  public static long printed(Class<?> test) {
    long seed = choose();
    System.out.println(test.getSimpleName() + ": -Dpensieve.seed=" + seed);
    return seed;
  }

  /** Returns a seed for a test that names it when it fails. */
  public static long choose() {
    return isGiven() ? Long.parseLong(given()) : new Random().nextLong();
  }

  /** Returns the seeds from 0 to {@code count - 1}, or only the one that is replayed. */
  public static LongStream first(int count) {
    return isGiven() ? LongStream.of(choose()) : LongStream.range(0, count);
  }

  /** Returns whether a seed is replayed. */
  public static boolean isGiven() {
    return !given().isEmpty();
  }

  private static String given() {
    return System.getProperty("pensieve.seed", "");
  }
}
