package io.pensieve;

import io.pensieve.log.Codec;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Random;

/**
 * Counts the calls of everything that a map and its log call of others, and lets one of them fail:
 * codecs, clocks, weighers, comparators, functions, listeners, callbacks, starts of threads.
 */
final class SeamFaults {
  private final Random random;
  private final Thread driver = Thread.currentThread(); // others' calls do not fail
  private int callsLeft = -1; // until one fails; below 0: none will
  private int struck;

  SeamFaults(Random random) {
    this.random = random;
  }

  /** One of the next calls will fail. */
  void arm(int callsMax) {
    callsLeft = random.nextInt(callsMax);
  }

  void disarm() {
    callsLeft = -1;
  }

  /** How many calls have failed. */
  int struck() {
    return struck;
  }

  /** A call of a seam: fails if it is its turn. */
  void call(String seam) {
    if (Thread.currentThread() == driver && callsLeft >= 0 && callsLeft-- == 0) {
      struck++;
      switch (random.nextInt(5)) {
        case 0 -> throw new OutOfMemoryError("injected into " + seam);
        case 1 -> throw new StackOverflowError("injected into " + seam);
        case 2 -> throw new InternalError("injected into " + seam);
        case 3 -> throw new IllegalArgumentException("injected into " + seam);
        default -> throw new IllegalStateException("injected into " + seam);
      }
    }
  }

  Codec<String> codec() {
    return new Codec<>() {
      @Override
      public byte[] encode(String value) {
        call("encode");
        return Codec.utf8().encode(value);
      }

      @Override
      public String decode(byte[] bytes) {
        call("decode");
        return Codec.utf8().decode(bytes);
      }
    };
  }

  /** A clock that does not go for other threads: so the map's own thread removes nothing. */
  InstantSource clock(InstantSource clock) {
    return () -> {
      call("clock");
      return Thread.currentThread() == driver ? clock.instant() : Instant.EPOCH;
    };
  }

  Weigher<String, String> weigher() {
    return (key, value) -> {
      call("weigher");
      return 1L + value.length() % 4;
    };
  }

  Comparator<String> order() {
    return (one, other) -> {
      call("comparator");
      return one.compareTo(other);
    };
  }

  RemovalListener<String, String> listener() {
    return (key, value, cause) -> call("listener");
  }

  NumberCodec<String> numberCodec() {
    return new NumberCodec<>() {
      @Override
      public long toLong(String value) {
        call("numeric");
        return value.length();
      }

      @Override
      public String toValue(long number) {
        call("numeric");
        return "n".repeat((int) number);
      }
    };
  }
}
