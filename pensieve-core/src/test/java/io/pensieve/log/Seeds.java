package io.pensieve.log;

import java.util.stream.LongStream;

/** Seeds of random tests: those of every build, or the one that is to be replayed. */
final class Seeds {
  private Seeds() {}

  static LongStream of(int count) {
    String seed = System.getProperty("pensieve.seed", "");
    return seed.isEmpty() ? LongStream.range(0, count) : LongStream.of(Long.parseLong(seed));
  }
}
