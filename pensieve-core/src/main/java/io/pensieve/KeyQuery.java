package io.pensieve;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Selects which keys to list, of a map whose keys are strings in natural order: that of {@link
 * String#compareTo}, by UTF-16 units. (This is the order of code points, with one exception: U+E000
 * to U+FFFF come after all code points above them.)
 *
 * @param prefix the keys begin with it; all keys if it is empty
 * @param delimiter if given, keys that contain it after the prefix are not listed one by one.
 *     Instead their common prefix, up to and including the first delimiter, is listed once. Not
 *     empty
 * @param after if given, only names after this one are listed; a {@link KeyPage#next} continues a
 *     listing
 * @param limit the maximum number of names to list, at least 1
 */
public record KeyQuery(
    String prefix, Optional<String> delimiter, Optional<String> after, int limit) {

  /** Checks the arguments. */
  public KeyQuery {
    requireNonNull(prefix);
    requireNonNull(after);
    if (delimiter.isPresent() && delimiter.get().isEmpty()) {
      throw new IllegalArgumentException("the delimiter is empty");
    }
    if (limit < 1) {
      throw new IllegalArgumentException("limit must be at least 1: " + limit);
    }
  }

  /** Selects all keys with this prefix, without delimiter, from the first one on. */
  public static KeyQuery ofPrefix(String prefix, int limit) {
    return new KeyQuery(prefix, Optional.empty(), Optional.empty(), limit);
  }

  /** Returns the same query, starting after a name. */
  public KeyQuery after(String name) {
    return new KeyQuery(prefix, delimiter, Optional.of(name), limit);
  }

  /** Returns the same query, with keys grouped by their common prefix up to this delimiter. */
  public KeyQuery delimitedBy(String newDelimiter) {
    return new KeyQuery(prefix, Optional.of(newDelimiter), after, limit);
  }

  /**
   * Lists one page. Takes O(log n) to begin and for each common prefix, however many keys have it,
   * and O(1) for each key.
   *
   * @throws IllegalArgumentException if the keys are not in their natural order
   */
  public KeyPage page(OrderedKeys<String> keys) {
    requireNaturalOrder(keys);
    List<KeyPage.Item> names = new ArrayList<>();
    Iterator<String> candidates = begin(keys);
    while (candidates.hasNext()) {
      String key = candidates.next();
      if (!key.startsWith(prefix)) {
        break;
      }
      if (names.size() == limit) {
        return new KeyPage(names, Optional.of(names.get(limit - 1).text()));
      }
      String common = commonPrefix(key);
      names.add(new KeyPage.Item(common == null ? key : common, common != null));
      if (common != null) {
        candidates = beyond(keys, common);
      }
    }
    return new KeyPage(names, Optional.empty());
  }

  /**
   * Counts the keys with this prefix. Takes O(1) for each of them, and blocks no other thread.
   *
   * @throws IllegalArgumentException if the keys are not in their natural order
   */
  public static long count(OrderedKeys<String> keys, String prefix) {
    requireNaturalOrder(keys);
    long count = 0;
    for (String key : keys.from(prefix)) {
      if (!key.startsWith(prefix)) {
        break;
      }
      count++;
    }
    return count;
  }

  private static void requireNaturalOrder(OrderedKeys<String> keys) {
    if (!keys.comparator().equals(Comparator.<String>naturalOrder())) {
      throw new IllegalArgumentException("the keys are not in their natural order");
    }
  }

  // If the name is a common prefix, or a key with one, the listing continues after all keys with
  // that prefix.
  private Iterator<String> begin(OrderedKeys<String> keys) {
    String last = after.orElse("");
    if (after.isEmpty() || last.compareTo(prefix) < 0) {
      return keys.from(prefix).iterator();
    }
    String common = commonPrefix(last);
    return common == null ? keys.after(last).iterator() : beyond(keys, common);
  }

  private @Nullable String commonPrefix(String name) {
    if (delimiter.isEmpty() || !name.startsWith(prefix)) {
      return null;
    }
    int found = name.indexOf(delimiter.get(), prefix.length());
    return found < 0 ? null : name.substring(0, found + delimiter.get().length());
  }

  private static Iterator<String> beyond(OrderedKeys<String> keys, String common) {
    String next = firstBeyond(common);
    return next == null ? List.<String>of().iterator() : keys.from(next).iterator();
  }

  // Returns the first string that is larger than all that begin with this; null if there is none.
  private static @Nullable String firstBeyond(String common) {
    int length = common.length();
    while (length > 0 && common.charAt(length - 1) == Character.MAX_VALUE) {
      length--;
    }
    return length == 0
        ? null
        : common.substring(0, length - 1) + (char) (common.charAt(length - 1) + 1);
  }
}
