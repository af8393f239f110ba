package io.pensieve.log.file;

import java.util.Random;
import java.util.stream.LongStream;

/** Seeds of random tests: those of every build, or the one that is to be replayed. */
public final class Seeds {
  private Seeds() {}

  public static LongStream of(int count) {
    return areAll() ? LongStream.range(0, count) : LongStream.of(Long.parseLong(given()));
  }

  /** Whether no single seed is to be replayed. */
  public static boolean areAll() {
    return given().isEmpty();
  }

  /** A new seed, which is printed. */
  public static long random(Class<?> test) {
    long seed = areAll() ? new Random().nextLong() : Long.parseLong(given());
    System.out.println(test.getSimpleName() + ": -Dpensieve.seed=" + seed);
    return seed;
  }

  private static String given() {
    return System.getProperty("pensieve.seed", "");
  }
}
