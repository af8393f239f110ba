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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three real processes, one of which is killed. Times are printed; only states are asserted. */
class ThreeNodesTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String ALIVE = "alive";
  private static final String DEAD = "dead";

  private ThreeNodes nodes;

  @BeforeEach
  void threeNodesSeeOneAnother(@TempDir Path data) throws Exception {
    nodes = new ThreeNodes(data);
    long startNanos = System.nanoTime();
    nodes.start();
    awaitView(1, Map.of(2, ALIVE, 3, ALIVE));
    awaitView(2, Map.of(1, ALIVE, 3, ALIVE));
    awaitView(3, Map.of(1, ALIVE, 2, ALIVE));
    print("all three are alive to one another", startNanos);
  }

  @AfterEach
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

  @Test
  void theViewIsAsDocumented() throws Exception {
    HttpResponse<String> response = nodes.cluster(1);
    assertEquals(200, response.statusCode());
    assertEquals("application/json", response.headers().firstValue("Content-Type").orElseThrow());
    JsonObject view = JsonParser.parseString(response.body()).getAsJsonObject();
    assertEquals(List.of("node_id", "peers"), List.copyOf(view.keySet()));
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
