package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What MOVING.md promises to clients of the original, and the settings that it shows. */
final class MovingDocumentTest {
  private static final Pattern ROW =
      Pattern.compile(
          "(?m)^\\| `([A-Z]+) (/\\S+)`(?: with `(.*?)`)?(, no such key|, also .*?)? \\| (.*) \\|$");
  private static final Pattern VARIABLE = Pattern.compile("(?m)^      ([A-Z_]+): \"(.*)\"$");

  private static String document() throws Exception {
    return Files.readString(Path.of("MOVING.md"));
  }

  /** The rows of answers by what is asked; "missing" asks for a key that is not there. */
  private static Map<String, MatchResult> rows() throws Exception {
    return ROW.matcher(document())
        .results()
        .filter(row -> row.group(5).startsWith("200 "))
        .collect(
            Collectors.toMap(
                row ->
                    row.group(1)
                        + " "
                        + row.group(2)
                        + (", no such key".equals(row.group(4)) ? " missing" : ""),
                row -> row));
  }

  private static void assertAnswers(String server, MatchResult row) throws Exception {
    String body = row.group(3);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(server + row.group(2)))
            .header("Content-Type", "application/json")
            .method(
                row.group(1),
                body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    assertEquals(row.group(5), answer.statusCode() + " `" + answer.body() + "`", row.group());
  }

  @Test
  void theRoutesOfTheOriginalAnswerAsTheTableSays(@TempDir Path folder) throws Exception {
    Map<String, MatchResult> rows = rows();
    List<String> asked =
        List.of(
            "GET /get/foo missing",
            "DELETE /delete/foo",
            "POST /put",
            "GET /get/foo",
            "DELETE /delete/foo",
            "GET /get/foo missing",
            "POST /internal/heartbeat");
    assertEquals(rows.keySet(), Set.copyOf(asked));
    try (ServerProcess server = ServerProcess.serve(folder)) {
      for (String what : asked) {
        assertAnswers(server.url(), Objects.requireNonNull(rows.get(what), what));
      }
    }
  }

  @Test
  void aServerStartsWithTheSettingsOfTheComposeFile() throws Exception {
    List<MatchResult> variables = VARIABLE.matcher(document()).results().toList();
    assertEquals(9, variables.size(), "three of each of three nodes");
    Map<String, String> first = new HashMap<>(Map.of("PENSIEVE_BIND", "0.0.0.0")); // the image's
    variables.subList(0, 3).forEach(variable -> first.put(variable.group(1), variable.group(2)));
    List<String> known =
        Arrays.stream(Setting.values()).flatMap(s -> s.environmentNames().stream()).toList();
    assertTrue(known.containsAll(first.keySet()), () -> first.keySet().toString());
    Configuration configuration = Configuration.of(SettingValue.resolve(Map.of(), first));
    assertEquals(2, configuration.peers().size());
    assertEquals(1, configuration.nodeId());
    assertTrue(configuration.address().getAddress().isAnyLocalAddress());
  }
}
