package io.pensieve.bench;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import io.pensieve.Pensieve;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.cache2k.Cache2kBuilder;

/** The maps that are compared, by the names that the parameter {@code map} has. */
final class Contenders {
  private static final float LOAD_FACTOR = 0.75f;

  private Contenders() {}

  /** All that have a bound. */
  static final List<String> BOUNDED =
      List.of("pensieve", "caffeine", "cache2k", "guava", "synchronizedLinkedHashMap");

  /** Ends what a map may have begun. */
  static void close(Map<?, ?> map) throws Exception {
    if (map instanceof AutoCloseable closeable) {
      closeable.close();
    }
  }

  /**
   * An empty map. All but the ConcurrentHashMap hold at most so many entries. That one takes as
   * many bins as it chooses.
   */
  static <K> Map<K, K> create(String name, int entriesMax) {
    return switch (name) {
      case "pensieve" -> Pensieve.<K, K>builder().maximumEntries(entriesMax).open();
      case "caffeine" ->
          Caffeine.newBuilder()
              .initialCapacity(entriesMax)
              .maximumSize(entriesMax)
              .<K, K>build()
              .asMap();
      case "cache2k" -> cache2k(entriesMax);
      case "guava" ->
          CacheBuilder.newBuilder()
              .initialCapacity(entriesMax)
              .maximumSize(entriesMax)
              .<K, K>build()
              .asMap();
      case "concurrentHashMap" -> new ConcurrentHashMap<>();
      case "synchronizedLinkedHashMap" -> Collections.synchronizedMap(accessOrder(entriesMax));
      default -> throw new IllegalArgumentException("no such map: " + name);
    };
  }

  @SuppressWarnings("unchecked") // it looks at no type where it is told none
  private static <K> Map<K, K> cache2k(int entriesMax) {
    Cache2kBuilder<?, ?> builder = Cache2kBuilder.forUnknownTypes();
    return (Map<K, K>) builder.entryCapacity(entriesMax).eternal(true).build().asMap();
  }

  private static <K> Map<K, K> accessOrder(int entriesMax) {
    return new LinkedHashMap<>(entriesMax, LOAD_FACTOR, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<K, K> eldest) {
        return size() > entriesMax;
      }
    };
  }
}
