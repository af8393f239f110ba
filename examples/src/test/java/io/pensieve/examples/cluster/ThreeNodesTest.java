package io.pensieve.examples.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three real processes, which all tests share, and of which some are killed. Times are printed;
 * only states are asserted.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ThreeNodesTest {
  private static final int LAST = Integer.MAX_VALUE;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String ALIVE = "alive";
  private static final String DEAD = "dead";

  private final ThreeNodes nodes;

  ThreeNodesTest(@TempDir Path data) throws Exception {
    nodes = new ThreeNodes(data);
    Process unused = nodes.start();
  }

  @BeforeEach
  void threeNodesSeeOneAnother() throws Exception {
    long startNanos = System.nanoTime();
    for (int node = 1; node <= 3; node++) {
      nodes.startIfKilled(node);
    }
    awaitView(1, Map.of(2, ALIVE, 3, ALIVE));
    awaitView(2, Map.of(1, ALIVE, 3, ALIVE));
    awaitView(3, Map.of(1, ALIVE, 2, ALIVE));
    print("all three are alive to one another", startNanos);
  }

  @AfterAll
  void nothingIsLeftRunning() throws Exception {
    nodes.stop();
  }

  @Test
  void aKilledNodeIsSeenDeadAndComesBack() throws Exception {
    for (int round = 0; round < 2; round++) {
      long killedNanos = System.nanoTime();
      nodes.kill(2);
      awaitView(1, Map.of(2, DEAD, 3, ALIVE));
      awaitView(3, Map.of(1, ALIVE, 2, DEAD));
      print("both see the killed node dead", killedNanos);

      long restartedNanos = System.nanoTime();
      nodes.start("2");
      awaitView(1, Map.of(2, ALIVE, 3, ALIVE));
      awaitView(3, Map.of(1, ALIVE, 2, ALIVE));
      print("both see it alive after its process was started again", restartedNanos);
      awaitView(2, Map.of(1, ALIVE, 3, ALIVE));
    }
  }

  /** The walk through of the README. */
  @Test
  void theyAreOneStoreThatSurvivesItsLeader() throws Exception {
    for (int node = 1; node <= 3; node++) {
      awaitAnswer(node, "/readyz", "200 {\"status\":\"ok\"}");
    }
    putInTheEnd(1, "foo", "hello");
    assertEquals("200 hello", nodes.get(2, "/v1/kv/foo"));
    int leader =
        JsonParser.parseString(nodes.cluster(1).body()).getAsJsonObject().get("leader").getAsInt();
    nodes.kill(leader);
    int other = leader % 3 + 1;
    putInTheEnd(other, "foo", "bye");
    assertEquals(
        "200 bye", nodes.get(other % 3 + 1 == leader ? other : other % 3 + 1, "/v1/kv/foo"));
    nodes.start("" + leader);
    awaitAnswer(leader, "/v1/kv/foo", "200 bye");
  }

  /** Puts, and again as long as nobody leads. */
  private void putInTheEnd(int node, String key, String value) throws Exception {
    long endNanos = System.nanoTime() + PATIENCE.toNanos();
    while (nodes.put(node, key, value) / 100 != 2) {
      assertTrue(System.nanoTime() < endNanos, () -> "nobody leads" + nodes.logs());
      Thread.sleep(10);
    }
  }

  private void awaitAnswer(int node, String path, String expected) throws Exception {
    long endNanos = System.nanoTime() + PATIENCE.toNanos();
    for (String last = nodes.get(node, path);
        !last.equals(expected);
        last = nodes.get(node, path)) {
      String answer = last;
      assertTrue(System.nanoTime() < endNanos, () -> answer + nodes.logs());
      Thread.sleep(10);
    }
  }

  @Test
  void theViewIsAsDocumented() throws Exception {
    HttpResponse<String> response = nodes.cluster(1);
    assertEquals(200, response.statusCode());
    assertEquals("application/json", response.headers().firstValue("Content-Type").orElseThrow());
    JsonObject view = JsonParser.parseString(response.body()).getAsJsonObject();
    assertEquals(List.of("node_id", "peers"), List.copyOf(view.keySet()).subList(0, 2));
    assertEquals(1, view.get("node_id").getAsInt());
    int id = 2;
    for (JsonElement element : view.getAsJsonArray("peers")) {
      JsonObject peer = element.getAsJsonObject();
      assertEquals(
          List.of("url", "id", "state", "phi", "last_heard_ms", "since_ms"),
          List.copyOf(peer.keySet()));
      assertEquals(nodes.url(id), peer.get("url").getAsString());
      assertEquals(id, peer.get("id").getAsInt());
      assertTrue(Set.of(ALIVE, "suspect", DEAD).contains(peer.get("state").getAsString()));
      assertTrue(peer.get("phi").getAsDouble() >= 0);
      assertTrue(peer.get("last_heard_ms").getAsLong() >= 0);
      assertTrue(peer.get("since_ms").getAsLong() >= 0);
      id++;
    }
    assertEquals(4, id);
  }

  @Test
  void aBeatOfTheKilledNodeItselfIsASignOfLife() throws Exception {
    nodes.kill(2);
    awaitView(1, Map.of(2, DEAD, 3, ALIVE));
    assertEquals("{\"status\":\"ok\",\"node_id\":2}", nodes.beat(1, 2).body());
    awaitView(1, Map.of(2, ALIVE, 3, ALIVE));
    awaitView(1, Map.of(2, DEAD, 3, ALIVE));
  }

  @Order(LAST)
  @Test
  void stoppingTheScriptStopsItsNodes() throws Exception {
    List<ProcessHandle> processes = List.of(nodes.process(1), nodes.process(2), nodes.process(3));
    nodes.stop();
    for (ProcessHandle process : processes) {
      assertFalse(process.isAlive());
    }
  }

  @Test
  void aNodeThatRunsIsNotStartedAgain() throws Exception {
    ProcessHandle running = nodes.process(2);
    Process refused = nodes.start("2");
    assertTrue(refused.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    assertEquals(2, refused.exitValue());
    assertEquals(running, nodes.process(2));
    assertTrue(nodes.logs().contains("node 2 already runs as process " + running.pid()));
  }

  private void awaitView(int node, Map<Integer, String> expected) throws Exception {
    long endNanos = System.nanoTime() + PATIENCE.toNanos();
    for (Map<Integer, String> view = nodes.view(node);
        !view.equals(expected);
        view = nodes.view(node)) {
      Map<Integer, String> last = view;
      assertTrue(
          System.nanoTime() < endNanos,
          () -> "node %d sees %s, expected %s%s".formatted(node, last, expected, nodes.logs()));
      Thread.sleep(10);
    }
  }

  private static void print(String what, long sinceNanos) {
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNanos);
    System.out.println("three nodes: " + what + ": " + millis + " ms");
  }
}
