package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.transport.Route;
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

  private static final Pattern FIELD = Pattern.compile("`([a-z_.]+)`");

  @Test
  void routesAreThoseOfTheTable() throws Exception {
    Set<String> served = new TreeSet<>();
    try (ServerUnderTest server = ServerUnderTest.start()) {
      for (Route route : server.http.routeTable().routes()) {
        served.add(route.method() + " " + route.template() + " " + route.role().title());
      }
    }
    assertEquals(served, rows(ROUTE));
  }

  @Test
  void codesAreThoseOfTheTable() throws Exception {
    Set<String> known = new TreeSet<>();
    for (ProblemType problem : ProblemType.values()) {
      known.add(problem.status() + " " + problem.code());
    }
    assertEquals(known, rows(ERROR));
  }

  @Test
  void fieldsOfTheStatusAreThoseOfTheTable() throws Exception {
    Set<String> told = new TreeSet<>();
    try (ServerUnderTest server = ServerUnderTest.start()) {
      String body = StatusAndBody.of(server, "/v1/status").body();
      JsonObject status = JsonParser.parseString(body).getAsJsonObject();
      JsonObject log = status.remove("log").getAsJsonObject();
      told.addAll(status.keySet());
      log.keySet().forEach(field -> told.add("log." + field));
    }
    Set<String> described = new TreeSet<>();
    List<String> lines = document();
    for (String line :
        lines.subList(lines.indexOf("**Status.** What `/v1/status` tells:"), lines.size())) {
      if (line.startsWith("**Metrics.**")) {
        break;
      }
      Matcher field = FIELD.matcher(line.startsWith("| `") ? line.split("\\|", -1)[1] : "");
      while (field.find()) {
        described.add(field.group(1));
      }
    }
    assertEquals(told, described);
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
