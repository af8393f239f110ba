package io.pensieve;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which keys of a map to list, whose keys are strings in their natural order: that of {@link
 * String#compareTo}, by UTF-16 units. (It is the order of code points, but for those from U+E000 to
 * U+FFFF, which come after all that are beyond them.)
 *
 * @param prefix what the keys begin with; all keys if it is empty
 * @param delimiter if given, keys that have it somewhere behind the prefix are not listed one by
 *     one: what they have in common, up to and with the first delimiter, is listed once. Not empty
 * @param after if given, only names that come after this one are listed; a {@link KeyPage#next}
 *     continues a listing
 * @param limit how many names to list at most, at least 1
 */
public record KeyQuery(
    String prefix, Optional<String> delimiter, Optional<String> after, int limit) {

  /** Checks the parts. */
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

  /** The keys with this prefix, each by itself, from the first one on. */
  public static KeyQuery ofPrefix(String prefix, int limit) {
    return new KeyQuery(prefix, Optional.empty(), Optional.empty(), limit);
  }

  /** The same, after a name. */
  public KeyQuery after(String name) {
    return new KeyQuery(prefix, delimiter, Optional.of(name), limit);
  }

  /** The same, with keys that share a prefix up to this delimiter listed as one. */
  public KeyQuery delimitedBy(String newDelimiter) {
    return new KeyQuery(prefix, Optional.of(newDelimiter), after, limit);
  }

  /**
   * Lists. Takes O(log n) to begin and for each common prefix, however many keys have it, and O(1)
   * for each key.
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
   * How many keys have this prefix. Takes O(1) for each of them, and holds nobody up.
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

  // What comes after a name that is, or lies within, a common prefix comes after all that have it.
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

  // The first string that is larger than all that begin with this; null if there is none.
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
