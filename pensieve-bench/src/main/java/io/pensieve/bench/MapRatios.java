package io.pensieve.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The ratios of {@code map-table.sh} that matter most, as a table in Markdown: how many times as
 * much as a peer does Pensieve do, by the number of threads?
 *
 * <pre>
 * java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.MapRatios map.csv
 * </pre>
 */
public final class MapRatios {
  /**
   * What a line of the results has in its benchmark and its parameters, and with whom to compare.
   */
  private record Ratio(String title, String benchmark, List<String> parameters, String peer) {
    boolean isOf(Results.Line line) {
      return line.benchmark().startsWith(benchmark)
          && parameters.stream().allMatch(wanted -> (line.parameters() + ",").contains(wanted));
    }
  }

  private static final List<Ratio> RATIOS =
      List.of(
          new Ratio("get", "MapBenchmark.getHit", List.of(" zipf,"), "concurrentHashMap"),
          new Ratio("get", "MapBenchmark.getHit", List.of(" zipf,"), "caffeine"),
          new Ratio("get, one hot key", "MapBenchmark.getHit", List.of(" one,"), "caffeine"),
          new Ratio("overwrite", "MapBenchmark.overwrite", List.of(" zipf,"), "caffeine"),
          eviction("1,000", "caffeine"),
          eviction("100,000", "caffeine"),
          eviction("1,000,000", "caffeine"),
          eviction("1,000", "synchronizedLinkedHashMap"),
          eviction("100,000", "synchronizedLinkedHashMap"),
          eviction("1,000,000", "synchronizedLinkedHashMap"),
          new Ratio("look up, else put", "MissBenchmark", List.of(), "caffeine"));

  private MapRatios() {}

  private static Ratio eviction(String entries, String peer) {
    String wanted = " entries " + entries.replace(",", "") + ",";
    return new Ratio(
        "put that evicts, " + entries + " entries",
        "EvictionBenchmark.putNew",
        List.of(wanted),
        peer);
  }

  /** Prints the table of these results. */
  public static void main(String... arguments) throws IOException {
    print(System.out, Arrays.stream(arguments).map(Path::of).toArray(Path[]::new));
  }

  static void print(PrintStream out, Path... files) throws IOException {
    Map<Results.Line, Map<String, Double>> scores = Results.read("map", files).scores();
    List<Integer> threads =
        scores.keySet().stream().map(Results.Line::threads).distinct().sorted().toList();
    out.println(
        threads.stream()
            .map(count -> count + (count == 1 ? " thread |" : " threads |"))
            .collect(Collectors.joining(" ", "| Pensieve, times as much | as | ", "")));
    out.println("|---|---|" + "---|".repeat(threads.size()));
    for (Ratio ratio : RATIOS) {
      out.println(
          threads.stream()
              .map(count -> cell(scores, ratio, count))
              .collect(
                  Collectors.joining(
                      " | ", "| " + ratio.title() + " | " + ratio.peer() + " | ", " |")));
    }
  }

  private static String cell(
      Map<Results.Line, Map<String, Double>> scores, Ratio ratio, int threads) {
    return scores.entrySet().stream()
        .filter(entry -> entry.getKey().threads() == threads && ratio.isOf(entry.getKey()))
        .map(Map.Entry::getValue)
        .filter(score -> score.containsKey(Results.SUBJECT) && score.containsKey(ratio.peer()))
        .map(score -> score.get(Results.SUBJECT) / score.get(ratio.peer()))
        .map(times -> String.format(Locale.ROOT, "%.2f", times))
        .findFirst()
        .orElse("");
  }
}
