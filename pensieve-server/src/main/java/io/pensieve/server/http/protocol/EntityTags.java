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
 * <p>The tag of an entry is its version in quotes, {@code "4711"}. Any other tag is allowed, and
 * matches nothing.
 *
 * @param any whether the header is {@code *}
 * @param versions the listed versions
 */
public record EntityTags(boolean any, Set<Long> versions) {
  // RFC 9110, 8.8.3: W/ before the quotes marks a weak tag; no quotes and no controls inside.
  private static final Pattern TAG =
      Pattern.compile("[ \t]*(?:(W/)?\"([\\x21\\x23-\\x7e\\x80-\\xff]*)\")?[ \t]*(,|$)");
  private static final Pattern VERSION = Pattern.compile("[1-9][0-9]{0,18}");

  private static final EntityTags ANY = new EntityTags(true, Set.of());

  /** Returns the entity tag of a version. */
  public static String tag(long version) {
    return "\"" + version + "\"";
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
    EntityTags named = new EntityTags(false, new HashSet<>());
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
    if (opaque == null || !counts || !VERSION.matcher(opaque).matches()) {
      return;
    }
    try {
      versions.add(Long.parseLong(opaque));
    } catch (NumberFormatException beyondAllVersions) {
      // This server never creates such a tag, so it matches nothing.
    }
  }

  private static ProblemException malformed(HttpString name) {
    return ProblemType.MALFORMED_CONDITION.withDetail(
        name + " must be * or a list of entity tags in double quotes");
  }

  /** Returns whether this version is listed; version 0 means no entry. */
  boolean matches(long version) {
    return version != 0 && (any || versions.contains(version));
  }
}
