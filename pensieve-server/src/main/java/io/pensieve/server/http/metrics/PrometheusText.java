package io.pensieve.server.http.metrics;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Writes metrics in the Prometheus text format 0.0.4. Begin a family first, then write all its
 * samples.
 */
public final class PrometheusText {
  /** The media type of the text. */
  public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private static final int FIRST_CHARACTERS = 16 << 10;

  private final StringBuilder text = new StringBuilder(FIRST_CHARACTERS);
  private String family = "";

  /** The type of a family. */
  public enum Kind {
    COUNTER,
    GAUGE,
    HISTOGRAM,
    SUMMARY
  }

  /** Begins a family. The help must be one line. */
  public PrometheusText family(String name, Kind kind, String help) {
    family = name;
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    String title = kind.name().toLowerCase(Locale.ROOT);
    text.append("# TYPE ").append(name).append(' ').append(title).append('\n');
    return this;
  }

  /** Writes a counter with one sample, without labels. */
  public PrometheusText counter(String name, String help, Number value) {
    return family(name, Kind.COUNTER, help).sample(value);
  }

  /** Writes a gauge with one sample, without labels. */
  public PrometheusText gauge(String name, String help, Number value) {
    return family(name, Kind.GAUGE, help).sample(value);
  }

  /** Writes a sample of the family. The labels alternate names and values. */
  public PrometheusText sample(Number value, String... labels) {
    return part("", value, labels);
  }

  /** Writes a sample whose name is the family's with a suffix, such as {@code _bucket}. */
  PrometheusText part(String suffix, Number value, String... labels) {
    text.append(family).append(suffix);
    char separator = '{';
    for (int i = 0; i < labels.length; i += 2) {
      text.append(separator).append(labels[i]).append("=\"");
      escape(labels[i + 1]);
      text.append('"');
      separator = ',';
    }
    text.append(labels.length == 0 ? " " : "} ").append(number(value)).append('\n');
    return this;
  }

  private void escape(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '\\' -> text.append("\\\\");
        case '"' -> text.append("\\\"");
        case '\n' -> text.append("\\n");
        default -> text.append(c);
      }
    }
  }

  private static String number(Number value) {
    return value instanceof Double fraction ? number(fraction.doubleValue()) : value.toString();
  }

  /** Formats a number. Whole numbers have no decimal point. */
  static String number(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "+Inf" : "-Inf";
    }
    long whole = (long) value;
    return whole == value ? Long.toString(whole) : Double.toString(value);
  }

  public byte[] utf8() {
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }
}
