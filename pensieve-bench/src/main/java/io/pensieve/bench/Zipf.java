package io.pensieve.bench;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Keys as caches see them: the n-th most popular is asked for with a weight of 1 / n^skew. */
final class Zipf {
  private static final double SKEW = 0.99;

  private Zipf() {}

  /** As below, with the skew that is usual in benchmarks: 0.99. */
  static Long[] sequence(int keys, int length, long seed) {
    return sequence(keys, SKEW, length, seed);
  }

  /** A random sequence of the keys 0 to keys - 1; the same seed gives the same sequence. */
  static Long[] sequence(int keys, double skew, int length, long seed) {
    Long[] boxed = new Long[keys];
    Arrays.setAll(boxed, i -> (long) i);
    Long[] sequence = new Long[length];
    int[] numbers = numbers(keys, skew, length, seed);
    Arrays.setAll(sequence, i -> boxed[numbers[i]]);
    return sequence;
  }

  /** As {@link #sequence}, as numbers; a skew of 0 makes all keys equally popular. */
  static int[] numbers(int keys, double skew, int length, long seed) {
    double[] cumulated = new double[keys];
    double sum = 0;
    for (int i = 0; i < keys; i++) {
      sum += 1 / Math.pow(i + 1, skew);
      cumulated[i] = sum;
    }
    SplittableRandom random = new SplittableRandom(seed);
    int[] shuffled = new int[keys];
    Arrays.setAll(shuffled, i -> i);
    // Else the popular keys would be neighbours in memory and in the hash table.
    shuffle(shuffled, random);
    int[] sequence = new int[length];
    for (int i = 0; i < length; i++) {
      int rank = Arrays.binarySearch(cumulated, random.nextDouble(sum));
      sequence[i] = shuffled[rank < 0 ? -rank - 1 : rank];
    }
    return sequence;
  }

  private static void shuffle(int[] values, SplittableRandom random) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = values[i];
      values[i] = values[j];
      values[j] = swapped;
    }
  }
}
