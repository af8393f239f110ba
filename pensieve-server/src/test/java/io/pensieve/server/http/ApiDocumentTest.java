package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** API.md and the code tell the same routes and the same codes. */
final class ApiDocumentTest {
  private static final Pattern ROUTE =
      Pattern.compile("^\\| `([A-Z]+)` \\| `(/[^`]*)` \\|[^|]*\\| (\\w+) \\|.*");
  private static final Pattern ERROR = Pattern.compile("^\\| (\\d{3}) \\| `([a-z_]+)` \\|.*");

  @Test
  void routesAreThoseOfTheTable() throws Exception {
    Set<String> served = new TreeSet<>();
    try (ServerUnderTest server = ServerUnderTest.start()) {
      for (Route route : server.http.routes()) {
        served.add(route.method() + " " + route.template() + " " + route.role().title());
      }
    }
    assertEquals(served, rows(ROUTE));
  }

  @Test
  void codesAreThoseOfTheTable() throws Exception {
    Set<String> known = new TreeSet<>();
    for (Problem problem : Problem.values()) {
      known.add(problem.status() + " " + problem.code());
    }
    assertEquals(known, rows(ERROR));
  }

  private static Set<String> rows(Pattern row) throws Exception {
    Set<String> rows = new TreeSet<>();
    for (String line : document()) {
      Matcher matcher = row.matcher(line);
      if (matcher.matches()) {
        rows.add(
            IntStream.rangeClosed(1, matcher.groupCount())
                .mapToObj(matcher::group)
                .collect(Collectors.joining(" ")));
      }
    }
    return rows;
  }

  private static List<String> document() throws Exception {
    // Surefire runs in the module's folder.
    return Files.readAllLines(Path.of("API.md"));
  }
}
