package io.pensieve.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** JMH's results ({@code -rf csv -rff file}), by what was measured and by contender. */
final class Results {
  /** The contender that the others are compared with. */
  static final String SUBJECT = "pensieve";

  private static final String PARAMETER = "Param: ";
  private static final Set<String> NOT_TOLD = Set.of("folder");

  /**
   * What was measured.
   *
   * @param benchmark its class and method, and the unit
   * @param parameters those that are told, each after a comma
   */
  record Line(String benchmark, int threads, String parameters) {
    String title() {
      return benchmark + ", threads " + threads + parameters;
    }
  }

  private final String contenders;
  private final Set<String> names = new LinkedHashSet<>(List.of(SUBJECT));
  private final Map<Line, Map<String, Double>> scores = new LinkedHashMap<>();

  private Results(String contenders) {
    this.contenders = PARAMETER + contenders;
  }

  /**
   * Reads results in the order in which they were written.
   *
   * @param contenders the parameter that names the contenders; results without it are left out
   */
  static Results read(String contenders, Path... files) throws IOException {
    Results results = new Results(contenders);
    for (Path file : files) {
      results.add(Files.readAllLines(file));
    }
    return results;
  }

  /** All contenders; the subject is the first. */
  Set<String> contenders() {
    return names;
  }

  /** What each contender has reached. */
  Map<Line, Map<String, Double>> scores() {
    return scores;
  }

  private void add(List<String> text) {
    List<String> heads = cells(text.get(0));
    for (String line : text.subList(1, text.size())) {
      List<String> cells = cells(line);
      Map<String, String> row = new LinkedHashMap<>();
      IntStream.range(0, heads.size()).forEach(i -> row.put(heads.get(i), cells.get(i)));
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
    names.add(contender);
    double score = Double.parseDouble(row.getOrDefault("Score", ""));
    scores.computeIfAbsent(line(row), line -> new LinkedHashMap<>()).put(contender, score);
  }

  private Line line(Map<String, String> row) {
    String name = row.getOrDefault("Benchmark", "").replaceFirst(".*\\.(?=[^.]+\\.[^.]+$)", "");
    String parameters =
        row.entrySet().stream()
            .filter(cell -> cell.getKey().startsWith(PARAMETER) && !cell.getValue().isEmpty())
            .filter(cell -> !cell.getKey().equals(contenders))
            .filter(cell -> !NOT_TOLD.contains(cell.getKey().substring(PARAMETER.length())))
            .map(cell -> ", " + cell.getKey().substring(PARAMETER.length()) + " " + cell.getValue())
            .collect(Collectors.joining());
    int threads = Integer.parseInt(row.getOrDefault("Threads", ""));
    return new Line(name + " (" + row.get("Unit") + ")", threads, parameters);
  }
}
