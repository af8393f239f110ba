package io.pensieve.server.http.ui;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A file of the page, from the jar of the server or from that of a library.
 *
 * @param type the content type
 * @param tag a strong entity tag: a digest of the bytes in quotes
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares them, nobody changes the bytes
record UiFile(String type, String tag, byte[] bytes) {
  static final String INDEX = "index.html";

  private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/dist/";
  private static final int TAG_BYTES = 12; // of the digest: enough for a handful of files

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html;charset=utf-8",
          "css", "text/css;charset=utf-8",
          "js", "text/javascript;charset=utf-8",
          "svg", "image/svg+xml");

  // Only what is listed is served, so no name leads out of the page's folders.
  private static final List<String> OWN =
      List.of(
          INDEX,
          "icon.svg",
          "page.css",
          "main.js",
          "api.js",
          "dom.js",
          "entry.js",
          "format.js",
          "keys.js",
          "metrics.js",
          "overview.js",
          "plots.js",
          "value.js",
          "watch.js");
  private static final List<String> OF_UPLOT = List.of("uPlot.iife.min.js", "uPlot.min.css");

  private static final Map<String, String> RESOURCES = resources();

  private static Map<String, String> resources() {
    Map<String, String> resources =
        OWN.stream().collect(Collectors.toMap(Function.identity(), name -> "page/" + name));
    OF_UPLOT.forEach(name -> resources.put(name, UPLOT + name));
    return Map.copyOf(resources);
  }

  /** Returns whether the page has a file of this name. */
  static boolean exists(String name) {
    return RESOURCES.containsKey(name);
  }

  /** Returns the names of all files. */
  static List<String> names() {
    return RESOURCES.keySet().stream().sorted().toList();
  }

  /** Reads a file that exists. */
  static UiFile read(String name) {
    String resource = Optional.ofNullable(RESOURCES.get(name)).orElseThrow();
    try (InputStream file = UiFile.class.getResourceAsStream(resource)) {
      if (file == null) {
        throw new IllegalStateException("not packaged: " + resource);
      }
      byte[] bytes = file.readAllBytes();
      return new UiFile(type(name), tag(bytes), bytes);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private static String type(String name) {
    return Optional.ofNullable(TYPES.get(name.substring(name.lastIndexOf('.') + 1))).orElseThrow();
  }

  private static String tag(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return '"' + HexFormat.of().formatHex(digest, 0, TAG_BYTES) + '"';
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException("every Java has SHA-256", missing);
    }
  }
}
