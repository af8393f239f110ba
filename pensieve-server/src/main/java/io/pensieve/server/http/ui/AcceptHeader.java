package io.pensieve.server.http.ui;

import java.util.List;
import java.util.Locale;

/** What a client wants to get, as far as it matters here: a page, or something for programs. */
final class AcceptHeader {
  private static final String HTML = "text/html";
  private static final String QUALITY = "q=";

  private AcceptHeader() {}

  /**
   * Returns whether these lines of the header name {@code text/html} and rank it above JSON.
   * Browsers do; programs accept anything alike, or say nothing.
   */
  static boolean prefersHtml(List<String> lines) {
    double html = 0;
    double others = 0;
    for (String line : lines) {
      for (String range : line.split(",", -1)) {
        String type = range.split(";", -1)[0].strip().toLowerCase(Locale.ROOT);
        double quality = quality(range);
        if (type.equals(HTML)) {
          html = Math.max(html, quality);
        } else if (type.equals("application/json") || type.equals("*/*")) {
          others = Math.max(others, quality);
        }
      }
    }
    return html > others;
  }

  private static double quality(String range) {
    for (String parameter : range.split(";", -1)) {
      String text = parameter.strip().toLowerCase(Locale.ROOT);
      if (text.startsWith(QUALITY)) {
        try {
          return Double.parseDouble(text.substring(QUALITY.length()));
        } catch (NumberFormatException malformed) {
          return 0;
        }
      }
    }
    return 1;
  }
}
