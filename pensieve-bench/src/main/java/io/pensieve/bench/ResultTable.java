package io.pensieve.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Turns JMH's results ({@code -rf csv -rff file}) into a table in Markdown: a line for each
 * benchmark, number of threads and parameters, a column for each contender, and how many times as
 * much Pensieve does.
 *
 * <pre>
 * java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.ResultTable store a.csv b.csv
 * </pre>
 *
 * <p>The first argument is the parameter that names the contenders, {@code store} or {@code map}.
 */
public final class ResultTable {
  private ResultTable() {}

  /** Prints the table of these results. */
  public static void main(String... arguments) throws IOException {
    Path[] files = Arrays.stream(arguments).skip(1).map(Path::of).toArray(Path[]::new);
    print(arguments[0], System.out, files);
  }

  static void print(String contenders, PrintStream out, Path... files) throws IOException {
    Results results = Results.read(contenders, files);
    out.println("| | " + String.join(" | ", results.contenders()) + " |");
    out.println("|---|" + "---|".repeat(results.contenders().size()));
    results
        .scores()
        .forEach(
            (line, scores) ->
                out.println(
                    results.contenders().stream()
                        .map(contender -> cell(scores, contender))
                        .collect(Collectors.joining(" | ", "| " + line.title() + " | ", " |"))));
  }

  private static String cell(Map<String, Double> scores, String contender) {
    Double score = scores.get(contender);
    Double ours = scores.get(Results.SUBJECT);
    if (score == null) {
      return "";
    }
    String digits = score < 100 ? "%.3g" : "%,.0f";
    return ours == null || contender.equals(Results.SUBJECT)
        ? String.format(Locale.ROOT, digits, score)
        : String.format(Locale.ROOT, digits + " (%.2fx)", score, ours / score);
  }
}
