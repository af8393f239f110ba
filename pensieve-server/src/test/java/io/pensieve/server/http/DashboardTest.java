package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The dashboard of the examples, held against what a node of a cluster exposes. */
final class DashboardTest {
  private static final Path DASHBOARD = Path.of("../examples/grafana/pensieve.json");
  private static final Pattern METRIC =
      Pattern.compile("\\b((?:pensieve|http|process|jvm|cache)_\\w+)(?:\\{([^}]*)})?");
  private static final Pattern LABEL = Pattern.compile("(\\w+)(?:=|=~|!=)\"");
  private static final Pattern SHOWN = Pattern.compile("\\{\\{(\\w+)}}");
  private static final Pattern GROUPED = Pattern.compile("by \\(([^)]*)\\)");

  @Test
  void everyPanelIsOfMetricsAndLabelsThatThereAre() throws Exception {
    Map<String, Set<String>> exposed = AlertRulesTest.exposed();
    exposed.put("pensieve_peer_phi", Set.of("peer")); // of a node with peers only
    int expressions = 0;
    for (JsonElement panel : panels()) {
      for (JsonElement each : targets(panel)) {
        JsonObject target = each.getAsJsonObject();
        String expression = target.get("expr").getAsString();
        Set<String> known = new HashSet<>(Set.of("instance", "le"));
        for (MatchResult metric : METRIC.matcher(expression).results().toList()) {
          assertTrue(exposed.containsKey(metric.group(1)), expression);
          Set<String> labels = exposed.getOrDefault(metric.group(1), Set.of());
          known.addAll(labels);
          for (MatchResult label : LABEL.matcher(metric.group(2)).results().toList()) {
            assertTrue(
                label.group(1).equals("instance") || labels.contains(label.group(1)), expression);
          }
        }
        for (MatchResult grouped : GROUPED.matcher(expression).results().toList()) {
          assertTrue(known.containsAll(Set.of(grouped.group(1).split(", ", -1))), expression);
        }
        SHOWN
            .matcher(target.get("legendFormat").getAsString())
            .results()
            .forEach(label -> assertTrue(known.contains(label.group(1)), target::toString));
        expressions++;
      }
    }
    assertTrue(expressions > 30, "" + expressions);
  }

  @Test
  void panelsHaveIdsAndPlacesOfTheirOwn() throws Exception {
    Set<Integer> ids = new HashSet<>();
    Set<String> taken = new HashSet<>();
    for (JsonElement each : panels()) {
      JsonObject panel = each.getAsJsonObject();
      assertTrue(ids.add(panel.get("id").getAsInt()), panel::toString);
      JsonObject place = panel.getAsJsonObject("gridPos");
      for (int x = 0; x < place.get("w").getAsInt(); x++) {
        for (int y = 0; y < place.get("h").getAsInt(); y++) {
          int column = place.get("x").getAsInt() + x;
          assertTrue(column < 24, panel::toString);
          assertTrue(taken.add(column + " " + (place.get("y").getAsInt() + y)), panel::toString);
        }
      }
    }
    assertEquals(
        "${datasource}",
        panels().get(1).getAsJsonObject().getAsJsonObject("datasource").get("uid").getAsString());
  }

  private static JsonArray panels() throws Exception {
    return JsonParser.parseString(Files.readString(DASHBOARD))
        .getAsJsonObject()
        .getAsJsonArray("panels");
  }

  private static JsonArray targets(JsonElement panel) {
    JsonArray targets = panel.getAsJsonObject().getAsJsonArray("targets");
    return targets == null ? new JsonArray() : targets;
  }
}
