package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The versions that an {@code If-Match} or {@code If-None-Match} names: any, or those of a list.
 *
 * <p>An entry has two representations, so it has two tags: the value's is the version in quotes,
 * {@code "4711"}; that of the entry as JSON is weak, {@code W/"4711-json"}. They have different
 * opaque tags, since a cache compares those without looking at what is weak. A tag that is neither
 * is allowed, and matches nothing.
 *
 * @param any whether it is {@code *}
 * @param versions those of the list that are tags of values
 * @param jsonVersions those that are tags of entries as JSON
 */
public record EntityTags(boolean any, Set<Long> versions, Set<Long> jsonVersions) {
  // RFC 9110, 8.8.3: W/ before the quotes makes a tag weak; inside are no quotes and no controls.
  private static final Pattern TAG =
      Pattern.compile("[ \t]*(?:(W/)?\"([\\x21\\x23-\\x7e\\x80-\\xff]*)\")?[ \t]*(,|$)");
  private static final String JSON = "-json";
  private static final Pattern VERSION = Pattern.compile("([1-9][0-9]{0,18})(" + JSON + ")?");

  private static final EntityTags ANY = new EntityTags(true, Set.of(), Set.of());

  /** The entity tag of a version's value. */
  public static String tag(long version) {
    return "\"" + version + "\"";
  }

  /** The entity tag of a version's entry as JSON: weak, since that changes with the time. */
  public static String jsonTag(long version) {
    return "W/\"" + version + JSON + "\"";
  }

  /**
   * Reads the header, which must be there.
   *
   * @param weak whether weak tags count: they do for {@code If-None-Match} only
   * @throws ProblemException if it is neither {@code *} nor a list of entity tags
   */
  static EntityTags of(HeaderMap headers, HttpString name, boolean weak) {
    HeaderValues lines = headers.get(name);
    String text = String.join(",", lines);
    if (text.strip().equals("*")) {
      return ANY;
    }
    EntityTags named = new EntityTags(false, new HashSet<>(), new HashSet<>());
    boolean someTag = false;
    Matcher tag = TAG.matcher(text);
    int end = 0;
    while (end < text.length()) {
      if (!tag.find() || tag.start() != end) {
        throw malformed(name);
      }
      end = tag.end();
      someTag |= tag.group(2) != null;
      named.add(tag, weak);
    }
    if (!someTag) {
      throw malformed(name);
    }
    return named;
  }

  private void add(Matcher tag, boolean weak) {
    String opaque = tag.group(2);
    boolean counts = weak || tag.group(1) == null;
    if (opaque == null || !counts) {
      return;
    }
    Matcher version = VERSION.matcher(opaque);
    if (!version.matches()) {
      return;
    }
    Set<Long> ofItsKind = version.group(2) == null ? versions : jsonVersions;
    try {
      ofItsKind.add(Long.parseLong(version.group(1)));
    } catch (NumberFormatException beyondAllVersions) {
      // A tag that was never ours; it matches nothing.
    }
  }

  private static ProblemException malformed(HttpString name) {
    return ProblemType.MALFORMED_CONDITION.withDetail(
        name + " must be * or a list of entity tags in double quotes");
  }

  /** Whether an entry of this version is named by either tag; 0 stands for no entry. */
  boolean matches(long version) {
    return matches(version, false) || matches(version, true);
  }

  /** Whether one representation of an entry of this version is named; 0 stands for no entry. */
  boolean matches(long version, boolean asJson) {
    return version != 0 && (any || (asJson ? jsonVersions : versions).contains(version));
  }
}
