package io.pensieve.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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
  private static final String SUBJECT = "pensieve";
  private static final String PARAMETER = "Param: ";
  private static final Set<String> NOT_TOLD = Set.of("folder");

  private final String contenders;
  private final Set<String> columns = new LinkedHashSet<>(List.of(SUBJECT));
  private final Map<String, Map<String, Double>> lines = new LinkedHashMap<>();

  private ResultTable(String contenders) {
    this.contenders = PARAMETER + contenders;
  }

  /** Prints the table of these results. */
  public static void main(String... arguments) throws IOException {
    Path[] files = Arrays.stream(arguments).skip(1).map(Path::of).toArray(Path[]::new);
    print(arguments[0], System.out, files);
  }

  static void print(String contenders, PrintStream out, Path... files) throws IOException {
    ResultTable table = new ResultTable(contenders);
    for (Path file : files) {
      table.read(Files.readAllLines(file));
    }
    table.print(out);
  }

  private void read(List<String> text) {
    List<String> names = cells(text.get(0));
    for (String line : text.subList(1, text.size())) {
      List<String> cells = cells(line);
      Map<String, String> row = new LinkedHashMap<>();
      IntStream.range(0, names.size()).forEach(i -> row.put(names.get(i), cells.get(i)));
      add(row);
    }
  }

  private static List<String> cells(String line) {
    List<String> cells = new ArrayList<>();
    for (String cell : line.split(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", -1)) {
      cells.add(cell.replace("\"", ""));
    }
    return cells;
  }

  private void add(Map<String, String> row) {
    String contender = row.getOrDefault(contenders, "");
    if (contender.isEmpty()) {
      return;
    }
    columns.add(contender);
    double score = Double.parseDouble(row.getOrDefault("Score", ""));
    lines.computeIfAbsent(title(row), title -> new LinkedHashMap<>()).put(contender, score);
  }

  private String title(Map<String, String> row) {
    String name = row.getOrDefault("Benchmark", "").replaceFirst(".*\\.(?=[^.]+\\.[^.]+$)", "");
    String threads = row.getOrDefault("Threads", "");
    String parameters =
        row.entrySet().stream()
            .filter(cell -> cell.getKey().startsWith(PARAMETER) && !cell.getValue().isEmpty())
            .filter(cell -> !cell.getKey().equals(contenders))
            .filter(cell -> !NOT_TOLD.contains(cell.getKey().substring(PARAMETER.length())))
            .map(cell -> ", " + cell.getKey().substring(PARAMETER.length()) + " " + cell.getValue())
            .collect(Collectors.joining());
    return name + " (" + row.get("Unit") + "), threads " + threads + parameters;
  }

  private void print(PrintStream out) {
    out.println("| | " + String.join(" | ", columns) + " |");
    out.println("|---|" + "---|".repeat(columns.size()));
    lines.forEach(
        (title, scores) ->
            out.println(
                columns.stream()
                    .map(contender -> cell(scores, contender))
                    .collect(Collectors.joining(" | ", "| " + title + " | ", " |"))));
  }

  private static String cell(Map<String, Double> scores, String contender) {
    Double score = scores.get(contender);
    Double ours = scores.get(SUBJECT);
    if (score == null) {
      return "";
    }
    String digits = score < 100 ? "%.3g" : "%,.0f";
    return ours == null || contender.equals(SUBJECT)
        ? String.format(Locale.ROOT, digits, score)
        : String.format(Locale.ROOT, digits + " (%.2fx)", score, ours / score);
  }
}
