package io.pensieve.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Sequences of keys that are asked for, by name, for a map of a given bound. */
final class Traces {
  private static final double SKEW = 0.9;
  private static final int KEYS_FOR_EACH_ENTRY = 10;

  private Traces() {}

  /**
   * The traces for a bound: zipfian keys, ten times as many as fit; loops over twice as many as
   * fit, over 1 % more and over 1 % less; and zipfian keys and the loop over twice as many in turn,
   * at random.
   */
  static Map<String, Long[]> of(int entriesMax, int length, long seed) {
    Long[] zipf = Zipf.sequence(KEYS_FOR_EACH_ENTRY * entriesMax, SKEW, length, seed);
    Long[] loop = loop(2 * entriesMax, length);
    Map<String, Long[]> traces = new LinkedHashMap<>();
    traces.put("zipf " + SKEW, zipf);
    traces.put("loop over 2x", loop);
    traces.put("loop over 1.01x", loop(entriesMax + entriesMax / 100, length));
    traces.put("loop over 0.99x", loop(entriesMax - entriesMax / 100, length));
    traces.put("zipf and loop", mixed(List.of(zipf, loop), seed));
    return traces;
  }

  // Keys below zero: no other trace has them.
  private static Long[] loop(int keys, int length) {
    Long[] boxed = new Long[keys];
    Arrays.setAll(boxed, i -> -1L - i);
    Long[] sequence = new Long[length];
    Arrays.setAll(sequence, i -> boxed[i % keys]);
    return sequence;
  }

  private static Long[] mixed(List<Long[]> traces, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[] next = new int[traces.size()];
    Long[] sequence = new Long[traces.get(0).length];
    for (int i = 0; i < sequence.length; i++) {
      int which = random.nextInt(next.length);
      sequence[i] = traces.get(which)[next[which]++];
    }
    return sequence;
  }
}
