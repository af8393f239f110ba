package io.pensieve.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.function.IntFunction;

/** Kinds of keys, as maps have them: how they are hashed and compared differs much. */
enum Keys {
  /** Neighbours whose hashes never collide: the best case of any hash table. */
  LONG(i -> (long) i),

  /** As {@code key-4711}. */
  NUMBERED(i -> "key-" + i),

  /** Random, and all of 36 characters. */
  UUID(i -> randomUuid(i).toString()),

  /** As {@code /home/user47/documents/11.txt}. */
  PATH(i -> "/home/user" + i % 100 + "/documents/" + i / 100 + ".txt"),

  /** Equal in the first 60 of 67 characters. */
  PREFIX(i -> String.format(Locale.ROOT, "%s%07d", "tenant:0000".repeat(6).substring(0, 60), i)),

  /** A record of two numbers. */
  RECORD(i -> new Place(i & 127, i >>> 7));

  private record Place(int x, int y) {}

  @SuppressWarnings("ImmutableEnumChecker") // a function without state
  private final IntFunction<Object> maker;

  Keys(IntFunction<Object> maker) {
    this.maker = maker;
  }

  /** The kind of this name, in small letters. */
  static Keys of(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }

  /** The key of this number: an object of its own each time, as a caller's usually is. */
  Object key(int number) {
    return maker.apply(number);
  }

  /** Puts the first so many into a map, each as its own value. */
  void putInto(Map<Object, Object> map, int count) {
    for (int i = 0; i < count; i++) {
      Object key = key(i);
      map.put(key, key);
    }
  }

  /** The keys of these numbers, below a count: one object for each, which no map holds. */
  Object[] sequence(int count, int[] numbers) {
    Object[] keys = new Object[count];
    Arrays.setAll(keys, this::key);
    return Arrays.stream(numbers).mapToObj(number -> keys[number]).toArray();
  }

  private static UUID randomUuid(int seed) {
    Random random = new Random(seed);
    return new UUID(random.nextLong(), random.nextLong());
  }
}
