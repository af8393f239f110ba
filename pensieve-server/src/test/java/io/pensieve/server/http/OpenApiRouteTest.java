package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.server.http.access.Role;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.transport.Route;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The description for programs and the code tell the same, both ways. */
final class OpenApiRouteTest {
  private static final Pattern REFERENCE = Pattern.compile("\"\\$ref\": *\"#/([^\"]+)\"");

  private ServerUnderTest server;
  private String text = "";
  private JsonObject document = new JsonObject();

  @BeforeEach
  void read() throws Exception {
    server = ServerUnderTest.start();
    text = StatusAndBody.of(server, "/openapi.json").body();
    document = JsonParser.parseString(text).getAsJsonObject();
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void routesAndRolesAreThoseOfTheTable() {
    Map<String, String> served = new TreeMap<>();
    for (Route route : server.http.routeTable().routes()) {
      served.put(
          route.method().toString().toLowerCase(Locale.ROOT) + " " + route.template(),
          route.role().title());
    }
    Map<String, String> described = new TreeMap<>();
    for (var path : document.getAsJsonObject("paths").entrySet()) {
      for (var operation : path.getValue().getAsJsonObject().entrySet()) {
        if (!operation.getKey().equals("parameters")) {
          described.put(
              operation.getKey() + " " + path.getKey(),
              role(operation.getValue().getAsJsonObject()));
        }
      }
    }
    assertEquals(served, described);
  }

  private static String role(JsonObject operation) {
    String role = Role.ANYONE.title();
    for (JsonElement choice : operation.getAsJsonArray("security")) {
      if (choice.getAsJsonObject().has("bearer")) {
        role = choice.getAsJsonObject().getAsJsonArray("bearer").get(0).getAsString();
      }
    }
    return role;
  }

  @Test
  void codesAreThoseOfProblems() {
    Set<String> known = new TreeSet<>();
    for (ProblemType problem : ProblemType.values()) {
      known.add(problem.code());
    }
    Set<String> described = new TreeSet<>();
    document
        .getAsJsonObject("components")
        .getAsJsonObject("schemas")
        .getAsJsonObject("Problem")
        .getAsJsonObject("properties")
        .getAsJsonObject("code")
        .getAsJsonArray("enum")
        .forEach(code -> described.add(code.getAsString()));
    assertEquals(known, described);
  }

  @Test
  void everyReferenceLeadsSomewhere() {
    assertEquals("3.1.0", document.get("openapi").getAsString());
    Matcher reference = REFERENCE.matcher(text);
    int references = 0;
    while (reference.find()) {
      JsonElement target = document;
      for (String step : reference.group(1).split("/", -1)) {
        assertTrue(target.getAsJsonObject().has(step), reference.group());
        target = target.getAsJsonObject().get(step);
      }
      references++;
    }
    assertTrue(references > 20);
  }

  @Test
  void everyPathWithAKeyDescribesIt() {
    for (var path : document.getAsJsonObject("paths").entrySet()) {
      boolean takesKey = path.getKey().contains("{");
      assertEquals(takesKey, path.getValue().getAsJsonObject().has("parameters"), path.getKey());
    }
  }

  @Test
  void fieldsOfTheStatusAreThoseThatAreTold() throws Exception {
    JsonObject described =
        document
            .getAsJsonObject("paths")
            .getAsJsonObject("/v1/status")
            .getAsJsonObject("get")
            .getAsJsonObject("responses")
            .getAsJsonObject("200")
            .getAsJsonObject("content")
            .getAsJsonObject("application/json")
            .getAsJsonObject("schema");
    JsonObject told =
        JsonParser.parseString(StatusAndBody.of(server, "/v1/status").body()).getAsJsonObject();
    assertEquals(told.keySet(), described.getAsJsonObject("properties").keySet());
    assertEquals(told.keySet(), texts(described.getAsJsonArray("required")));
    JsonObject log = described.getAsJsonObject("properties").getAsJsonObject("log");
    assertEquals(told.getAsJsonObject("log").keySet(), log.getAsJsonObject("properties").keySet());
  }

  private static Set<String> texts(JsonArray array) {
    Set<String> texts = new TreeSet<>();
    array.forEach(each -> texts.add(each.getAsString()));
    return texts;
  }
}
