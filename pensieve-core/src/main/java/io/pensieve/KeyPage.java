package io.pensieve;

import java.util.List;
import java.util.Optional;

/**
 * One page of a listing of string keys.
 *
 * @param items keys and common prefixes, in one order, that of {@link String#compareTo}
 * @param next the argument of {@link KeyQuery#after} for the next page; empty if this is the last
 *     page
 */
public record KeyPage(List<Item> items, Optional<String> next) {

  /**
   * A key, or a common prefix of several keys.
   *
   * @param text the key; or the prefix of at least one key, up to and including the delimiter
   */
  public record Item(String text, boolean isPrefix) {}
}
