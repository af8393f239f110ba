package io.pensieve.bench;

import io.pensieve.bench.Results.Line;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Turns JMH's results ({@code -rf csv -rff file}) into a plot in SVG: a row for each benchmark and
 * its parameters, in it a panel for each number of threads, and in that a bar for each contender.
 * The panels of a row share a scale.
 *
 * <pre>
 * java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.ResultPlot map a.csv b.csv &gt; plot.svg
 * </pre>
 *
 * <p>The first argument is the parameter that names the contenders, {@code store} or {@code map}.
 */
public final class ResultPlot {
  private static final int NAME_WIDTH = 190; // beside the bars of a row, once
  private static final int PANEL_WIDTH = 250;
  private static final int BAR_WIDTH_MAX = 180; // its figure comes behind it
  private static final int BAR_HEIGHT = 12;
  private static final int BAR_STEP = 16;
  private static final int ROW_HEAD = 40;
  private static final int ROW_GAP = 14;
  private static final String SUBJECTS_COLOUR = "#c2571a";
  private static final String OTHERS_COLOUR = "#7f94a8";

  private final PrintStream out;
  private final List<String> contenders;
  private final List<Integer> threads;

  private ResultPlot(PrintStream out, Results results) {
    this.out = out;
    contenders = List.copyOf(results.contenders());
    threads = results.scores().keySet().stream().map(Line::threads).distinct().sorted().toList();
  }

  /** Prints the plot of these results. */
  public static void main(String... arguments) throws IOException {
    Path[] files = Arrays.stream(arguments).skip(1).map(Path::of).toArray(Path[]::new);
    print(arguments[0], System.out, files);
  }

  static void print(String contenders, PrintStream out, Path... files) throws IOException {
    Results results = Results.read(contenders, files);
    new ResultPlot(out, results).print(results);
  }

  private void print(Results results) {
    Map<String, Map<Integer, Map<String, Double>>> rows = new LinkedHashMap<>();
    results
        .scores()
        .forEach(
            (line, scores) ->
                rows.computeIfAbsent(
                        line.benchmark() + line.parameters(), title -> new LinkedHashMap<>())
                    .put(line.threads(), scores));
    int rowHeight = ROW_HEAD + contenders.size() * BAR_STEP + ROW_GAP;
    int width = NAME_WIDTH + threads.size() * PANEL_WIDTH;
    out.printf(
        Locale.ROOT,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
            + " font-family=\"sans-serif\" font-size=\"11\">%n",
        width,
        rows.size() * rowHeight);
    out.println("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
    int top = 0;
    for (Map.Entry<String, Map<Integer, Map<String, Double>>> row : rows.entrySet()) {
      printRow(row.getKey(), row.getValue(), top);
      top += rowHeight;
    }
    out.println("</svg>");
  }

  private void printRow(String title, Map<Integer, Map<String, Double>> panels, int top) {
    printText(4, top + 16, "font-weight=\"bold\"", title);
    for (int i = 0; i < contenders.size(); i++) {
      String place = "text-anchor=\"end\"";
      printText(NAME_WIDTH - 8, barTop(top, i) + BAR_HEIGHT - 2, place, contenders.get(i));
    }
    double most =
        panels.values().stream()
            .flatMap(scores -> scores.values().stream())
            .mapToDouble(Double::doubleValue)
            .max()
            .orElse(1);
    panels.forEach((count, scores) -> printPanel(count, scores, top, BAR_WIDTH_MAX / most));
  }

  private void printPanel(int count, Map<String, Double> scores, int top, double scale) {
    int left = NAME_WIDTH + threads.indexOf(count) * PANEL_WIDTH;
    printText(
        left, top + ROW_HEAD - 8, "fill=\"#555\"", count + (count == 1 ? " thread" : " threads"));
    Set<String> measured = scores.keySet();
    for (String contender : measured) {
      double score = scores.getOrDefault(contender, 0.0);
      int y = barTop(top, contenders.indexOf(contender));
      out.printf(
          Locale.ROOT,
          "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
          left,
          y,
          Math.max(1, score * scale),
          BAR_HEIGHT,
          contender.equals(Results.SUBJECT) ? SUBJECTS_COLOUR : OTHERS_COLOUR);
      String figure = String.format(Locale.ROOT, score < 100 ? "%.3g" : "%,.0f", score);
      printText((int) (left + score * scale + 5), y + BAR_HEIGHT - 2, "", figure);
    }
  }

  private static int barTop(int rowTop, int index) {
    return rowTop + ROW_HEAD + index * BAR_STEP;
  }

  private void printText(int x, int y, String attributes, String text) {
    String escaped = text.replace("&", "&amp;").replace("<", "&lt;");
    out.printf(Locale.ROOT, "<text x=\"%d\" y=\"%d\" %s>%s</text>%n", x, y, attributes, escaped);
  }
}
