package io.pensieve;

import java.util.List;
import java.util.Optional;

/**
 * A part of a listing of keys that are strings.
 *
 * @param items keys and common prefixes, in one order, that of {@link String#compareTo}
 * @param next where the next page goes on: what {@link KeyQuery#after} takes; empty if there was
 *     nothing more
 */
public record KeyPage(List<Item> items, Optional<String> next) {

  /**
   * A key, or what several have in common.
   *
   * @param text the key; or the prefix, up to and with the delimiter, of at least one key
   */
  public record Item(String text, boolean isPrefix) {}
}
