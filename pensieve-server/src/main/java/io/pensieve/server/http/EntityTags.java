package io.pensieve.server.http;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The versions that an {@code If-Match} or {@code If-None-Match} names: any, or those of a list.
 * The entity tag of an entry is its version in quotes; a tag that is no version of ours is allowed,
 * and matches nothing.
 *
 * @param any whether it is {@code *}
 * @param versions those of the list
 */
record EntityTags(boolean any, Set<Long> versions) {
  // RFC 9110, 8.8.3: W/ before the quotes makes a tag weak; inside are no quotes and no controls.
  private static final Pattern TAG =
      Pattern.compile("[ \t]*(?:(W/)?\"([\\x21\\x23-\\x7e\\x80-\\xff]*)\")?[ \t]*(,|$)");
  private static final Pattern VERSION = Pattern.compile("[1-9][0-9]{0,18}");

  private static final EntityTags ANY = new EntityTags(true, Set.of());

  /** The entity tag of a version. */
  static String tag(long version) {
    return "\"" + version + "\"";
  }

  /**
   * Reads the header, which must be there.
   *
   * @param weak whether weak tags count: they do for {@code If-None-Match} only
   * @throws Refusal if it is neither {@code *} nor a list of entity tags
   */
  static EntityTags of(HeaderMap headers, HttpString name, boolean weak) {
    HeaderValues lines = headers.get(name);
    String text = String.join(",", lines);
    if (text.strip().equals("*")) {
      return ANY;
    }
    Set<Long> versions = new HashSet<>();
    boolean someTag = false;
    Matcher tag = TAG.matcher(text);
    int end = 0;
    while (end < text.length()) {
      if (!tag.find() || tag.start() != end) {
        throw malformed(name);
      }
      end = tag.end();
      someTag |= tag.group(2) != null;
      add(versions, tag, weak);
    }
    if (!someTag) {
      throw malformed(name);
    }
    return new EntityTags(false, versions);
  }

  private static void add(Set<Long> versions, Matcher tag, boolean weak) {
    String opaque = tag.group(2);
    boolean counts = weak || tag.group(1) == null;
    if (opaque == null || !counts || !VERSION.matcher(opaque).matches()) {
      return;
    }
    try {
      versions.add(Long.parseLong(opaque));
    } catch (NumberFormatException beyondAllVersions) {
      // A tag that was never ours; it matches nothing.
    }
  }

  private static Refusal malformed(HttpString name) {
    return Problem.MALFORMED_CONDITION.because(
        name + " must be * or a list of entity tags in double quotes");
  }

  /** Whether an entry of this version is named; 0 stands for no entry. */
  boolean matches(long version) {
    return version != 0 && (any || versions.contains(version));
  }
}
