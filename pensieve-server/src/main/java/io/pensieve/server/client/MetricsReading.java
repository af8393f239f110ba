package io.pensieve.server.client;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The numbers of {@code /metrics} at one moment, in the text format of Prometheus. */
public final class MetricsReading {
  private static final Pattern SERIES =
      Pattern.compile("([a-zA-Z_:][\\w:]*)(?:\\{(.*)})? +(\\S+).*");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");
  private static final String BUCKETS = "http_server_requests_seconds_bucket";
  private static final String INFINITE = "+Inf";

  private final Map<String, Double> sums = new TreeMap<>();
  private final Map<String, Double> series = new TreeMap<>();
  private double hits;

  /** By method and route, how many requests took at most so many seconds. */
  private final Map<String, TreeMap<Double, Double>> buckets = new TreeMap<>();

  private MetricsReading() {}

  /** An empty one: all counters as at the start of a server. */
  public static MetricsReading none() {
    return new MetricsReading();
  }

  public static MetricsReading of(String text) {
    MetricsReading reading = new MetricsReading();
    text.lines()
        .filter(line -> !line.startsWith("#"))
        .map(SERIES::matcher)
        .filter(Matcher::matches)
        .forEach(reading::add);
    return reading;
  }

  private void add(Matcher line) {
    String name = line.group(1);
    double value = number(line.group(3));
    String text = line.group(2) == null ? "" : line.group(2);
    sums.merge(name, value, Double::sum);
    series.merge(name + "{" + text + "}", value, Double::sum);
    if (name.equals("cache_gets_total") && text.contains("result=\"hit\"")) {
      hits += value;
    }
    if (name.equals(BUCKETS)) {
      Map<String, String> labels = new TreeMap<>();
      LABEL.matcher(text).results().forEach(label -> labels.put(label.group(1), label.group(2)));
      double bound = number(labels.getOrDefault("le", INFINITE));
      buckets
          .computeIfAbsent(labels.get("method") + " " + labels.get("route"), all -> new TreeMap<>())
          .merge(bound, value, Double::sum);
    }
  }

  private static double number(String text) {
    return text.equals(INFINITE) ? Double.POSITIVE_INFINITY : Double.parseDouble(text);
  }

  /** Returns the sum of all series of this name; 0 if there is none. */
  public double sum(String name) {
    return sums.getOrDefault(name, 0.0);
  }

  /** Returns how many reads of the map have found a value. */
  public double hits() {
    return hits;
  }

  /** Returns a series by its labels as the text has them; 0 if there is none. */
  public double get(String name, String labels) {
    return series.getOrDefault(name + "{" + labels + "}", 0.0);
  }

  /**
   * Returns how many requests took at most so long since an earlier reading, by method and route,
   * without those that had no request.
   */
  public Map<String, NavigableMap<Double, Double>> requestsSince(MetricsReading before) {
    Map<String, NavigableMap<Double, Double>> since = new TreeMap<>();
    buckets.forEach(
        (route, counts) -> {
          TreeMap<Double, Double> earlier = before.buckets.getOrDefault(route, new TreeMap<>());
          TreeMap<Double, Double> grown = new TreeMap<>();
          counts.forEach(
              (bound, count) -> grown.put(bound, count - earlier.getOrDefault(bound, 0.0)));
          if (grown.lastEntry().getValue() > 0) {
            since.put(route, grown);
          }
        });
    return since;
  }

  /** Returns a quantile in seconds, as Prometheus estimates it: evenly spread within a bucket. */
  public static double quantile(double quantile, NavigableMap<Double, Double> counts) {
    double rank = quantile * counts.lastEntry().getValue();
    double below = 0;
    double countBelow = 0;
    for (Map.Entry<Double, Double> bucket : counts.entrySet()) {
      if (bucket.getValue() >= rank) {
        if (bucket.getKey().isInfinite()) {
          return below;
        }
        double share = (rank - countBelow) / Math.max(1, bucket.getValue() - countBelow);
        return below + (bucket.getKey() - below) * share;
      }
      below = bucket.getKey();
      countBelow = bucket.getValue();
    }
    return below;
  }
}
