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
 * The versions in an {@code If-Match} or {@code If-None-Match} header: any, or a list.
 *
 * <p>An entry has two representations, and so two tags. The value's tag is the version in quotes,
 * {@code "4711"}. The tag of the entry as JSON is weak, {@code W/"4711-json"}. Their opaque tags
 * differ, because a cache compares those and ignores weakness. Any other tag is allowed, and
 * matches nothing.
 *
 * @param any whether the header is {@code *}
 * @param versions the listed tags of values
 * @param jsonVersions the listed tags of entries as JSON
 */
public record EntityTags(boolean any, Set<Long> versions, Set<Long> jsonVersions) {
  // RFC 9110, 8.8.3: W/ before the quotes marks a weak tag; no quotes and no controls inside.
  private static final Pattern TAG =
      Pattern.compile("[ \t]*(?:(W/)?\"([\\x21\\x23-\\x7e\\x80-\\xff]*)\")?[ \t]*(,|$)");
  private static final String JSON = "-json";
  private static final Pattern VERSION = Pattern.compile("([1-9][0-9]{0,18})(" + JSON + ")?");

  private static final EntityTags ANY = new EntityTags(true, Set.of(), Set.of());

  /** Returns the entity tag of a version's value. */
  public static String tag(long version) {
    return "\"" + version + "\"";
  }

  /** Returns the entity tag of a version's entry as JSON: weak, because that changes over time. */
  public static String jsonTag(long version) {
    return "W/\"" + version + JSON + "\"";
  }

  /**
   * Parses the header, which must be present.
   *
   * @param weak whether weak tags count: only for {@code If-None-Match}
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
      // This server never creates such a tag, so it matches nothing.
    }
  }

  private static ProblemException malformed(HttpString name) {
    return ProblemType.MALFORMED_CONDITION.withDetail(
        name + " must be * or a list of entity tags in double quotes");
  }

  /** Returns whether either tag of this version is listed; version 0 means no entry. */
  boolean matches(long version) {
    return matches(version, false) || matches(version, true);
  }

  /** Returns whether the tag of this representation is listed; version 0 means no entry. */
  boolean matches(long version, boolean asJson) {
    return version != 0 && (any || (asJson ? jsonVersions : versions).contains(version));
  }
}
