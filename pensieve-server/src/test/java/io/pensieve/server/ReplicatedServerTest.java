package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.testing.Ports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Three processes that are one store, which the tests share. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ReplicatedServerTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long POLL_NANOS = 50_000_000;
  private static final int NODES = 3;
  private static final int ATTEMPTS_MAX = 5;

  private final Path folder;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Map<Integer, ServerProcess> nodes = new TreeMap<>();
  private final int firstPort = Ports.take(2 * NODES);

  ReplicatedServerTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @AfterAll
  void stop() {
    nodes.values().forEach(ServerProcess::close);
  }

  /** Starts what does not run, and waits until all three are ready. */
  private void startAll() throws Exception {
    for (int id = 1; id <= NODES; id++) {
      ServerProcess before = nodes.get(id);
      if (before == null || !before.isAlive()) {
        start(id);
      }
    }
    for (int id = 1; id <= NODES; id++) {
      awaitReady(id);
    }
  }

  private String url(int id) {
    return "http://127.0.0.1:" + (firstPort + id - 1);
  }

  private Path data(int id) {
    return folder.resolve("node" + id);
  }

  private void start(int id) throws IOException {
    nodes.put(id, launch(id, firstPort, data(id)));
  }

  // The list of peers is the same on all nodes.
  private ServerProcess launch(int id, int firstPort, Path data) throws IOException {
    String peers =
        IntStream.range(firstPort, firstPort + NODES)
            .mapToObj(port -> "http://127.0.0.1:" + port)
            .collect(Collectors.joining(","));
    return ServerProcess.launch(
        folder,
        Map.of("PENSIEVE_REPLICATE", "true", "NODE_ID", "" + id),
        "--port",
        "" + (firstPort + id - 1),
        "--raft-port",
        "" + (firstPort + NODES + id - 1),
        "--peers",
        peers,
        "--data-dir",
        data.toString());
  }

  private ServerProcess node(int id) {
    ServerProcess node = nodes.get(id);
    if (node == null) {
      throw new AssertionError("not started: " + id);
    }
    return node;
  }

  private void await(String what, Callable<Boolean> condition) throws Exception {
    long endNanos = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() - endNanos > 0) {
        StringBuilder told = new StringBuilder(what);
        for (ServerProcess node : nodes.values()) {
          told.append("\n").append(node.out()).append(node.err());
        }
        throw new AssertionError(told);
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private void awaitReady(int id) throws Exception {
    await("node " + id + " is not ready", () -> status(id, "/readyz") == 200);
  }

  private int status(int id, String path) throws InterruptedException {
    try {
      return send(HttpRequest.newBuilder(URI.create(url(id) + path))).statusCode();
    } catch (IOException notListening) {
      return 0;
    }
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> get(int id, String path) throws Exception {
    return send(HttpRequest.newBuilder(URI.create(url(id) + path)));
  }

  private HttpResponse<String> put(int id, String key, String value) throws Exception {
    return send(
        HttpRequest.newBuilder(URI.create(url(id) + "/v1/kv/" + key))
            .PUT(BodyPublishers.ofString(value)));
  }

  /** Puts, and again as long as a leader is missing, or its answer. */
  private void putInTheEnd(int id, String key, String value) throws Exception {
    await("not put: " + key, () -> put(id, key, value).statusCode() < 300);
  }

  private JsonObject cluster(int id) throws Exception {
    return JsonParser.parseString(get(id, "/cluster").body()).getAsJsonObject();
  }

  private int leader(int asked) throws Exception {
    await("no leader", () -> !cluster(asked).get("leader").isJsonNull());
    return cluster(asked).get("leader").getAsInt();
  }

  private static int after(int id) {
    return id % NODES + 1;
  }

  private static String code(HttpResponse<String> problem) {
    return JsonParser.parseString(problem.body()).getAsJsonObject().get("code").getAsString();
  }

  @Test
  void threeNodesAreOneStoreThatSurvivesItsLeader() throws Exception {
    startAll();
    for (int id = 1; id <= NODES; id++) {
      putInTheEnd(id, "key" + id, "value" + id);
    }
    for (int id = 1; id <= NODES; id++) {
      for (int key = 1; key <= NODES; key++) {
        HttpResponse<String> read = get(id, "/v1/kv/key" + key);
        assertEquals("value" + key, read.body());
        assertEquals(get(1, "/v1/kv/key" + key).headers().firstValue("ETag"), etag(read));
      }
      assertEquals("{\"count\":3}", get(id, "/v1/count?prefix=key").body());
    }
    assertTrue(
        get(2, "/get/key1?consistency=stale")
            .headers()
            .firstValue("Pensieve-Staleness")
            .isPresent());

    HttpResponse<String> sum = increment(after(leader(1)));
    assertEquals(sum.body(), increment(leader(1)).body());

    int leader = leader(1);
    node(leader).kill().awaitExit();
    int other = after(leader);
    putInTheEnd(other, "afterwards", "value");
    assertEquals("value", get(after(other), "/v1/kv/afterwards").body());
    assertEquals("value1", get(other, "/v1/kv/key1").body());

    assertEquals(sum.body(), increment(other).body());

    start(leader);
    awaitReady(leader);
    assertEquals("value", get(leader, "/v1/kv/afterwards").body());
    for (JsonElement member : cluster(leader(other)).getAsJsonArray("members")) {
      assertFalse(member.getAsJsonObject().get("url").getAsString().isEmpty());
    }
  }

  /** The same request each time. */
  private HttpResponse<String> increment(int id) throws Exception {
    return send(
        HttpRequest.newBuilder(URI.create(url(id) + "/v1/incr/n"))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", "5f7c")
            .POST(BodyPublishers.ofString("{\"by\":7}")));
  }

  private static Optional<String> etag(HttpResponse<String> response) {
    return response.headers().firstValue("ETag");
  }

  @Test
  void aNodeThatStopsHandsTheLeadOver() throws Exception {
    // It does not wait for long. On a busy machine the other one may be too slow now and then.
    for (int attempt = 1; !isHandedOver(); attempt++) {
      assertTrue(attempt < ATTEMPTS_MAX, "nobody ever takes the lead over");
    }
  }

  private boolean isHandedOver() throws Exception {
    startAll();
    int leader = leader(1);
    int other = after(leader);
    putInTheEnd(other, "k", "before");
    ServerProcess stopping = node(leader).terminate();
    // It goes to one leader or the other.
    putInTheEnd(other, "k", "meanwhile");
    assertEquals(0, stopping.awaitExit(), stopping.err());
    assertEquals(
        "meanwhile", get(after(other) == leader ? other : after(other), "/v1/kv/k").body());
    return !stopping.err().contains("nobody took the lead over");
  }

  @Test
  void anEmptiedFolderWaitsUntilItsNodeIsReplaced() throws Exception {
    startAll();
    putInTheEnd(1, "k", "value");
    int emptied = after(leader(1));
    node(emptied).kill().awaitExit();
    delete(data(emptied));
    start(emptied);
    await(
        "the emptied node says what helps",
        () ->
            status(emptied, "/readyz") == 503
                && get(emptied, "/readyz").body().contains("cluster replace"));
    assertEquals("not_ready", code(get(emptied, "/readyz")));
    assertEquals("outside", cluster(emptied).get("role").getAsString());
    // The others do not need it, and it does not answer for them.
    int other = after(emptied);
    putInTheEnd(other, "k", "newer");

    ByteArrayOutputStream told = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(told, true, StandardCharsets.UTF_8);
    await(
        "it is replaced",
        () ->
            new Main(Map.of(), out, out)
                    .run("cluster", "replace", "" + emptied, url(emptied), "--url", url(other))
                == 0);
    awaitReady(emptied);
    assertEquals("newer", get(emptied, "/v1/kv/k").body(), told::toString);
    assertEquals(0, new Main(Map.of(), out, out).run("cluster", "status", "--url", url(emptied)));
    assertTrue(told.toString(StandardCharsets.UTF_8).contains("entries committed"), told::toString);
    assertEquals(
        2, new Main(Map.of(), out, out).run("cluster", "remove", "nobody", "--url", url(other)));
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void aServerThatDoesNotReplicateLoadsNothingOfTheEngine() throws Exception {
    Path loaded = folder.resolve("classes.txt");
    try (ServerProcess alone =
        ServerProcess.launch(
                folder,
                Map.of("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + loaded),
                "--port",
                "0",
                "--data-dir",
                folder.resolve("alone").toString())
            .awaitListening()) {
      alone.put("k", "v");
      assertEquals("v", alone.get("k"));
      assertEquals(0, alone.terminate().awaitExit());
    }
    String classes = Files.readString(loaded);
    assertTrue(classes.contains("io.pensieve.server.PensieveServer "), "not logged");
    assertFalse(classes.contains("org.apache.ratis"), "Ratis is loaded");
    assertFalse(classes.contains("io.pensieve.replication."), "the engine is loaded");
  }

  @Test
  void aFolderIsEitherOfANodeOrOfAServerAlone() throws Exception {
    int port = Ports.take(2 * NODES);
    Path ofServer = folder.resolve("of-server");
    try (ServerProcess alone = ServerProcess.serve(folder, "--data-dir", ofServer.toString())) {
      alone.put("k", "v");
      alone.terminate().awaitExit();
    }
    try (ServerProcess node = launch(1, port, ofServer)) {
      assertEquals(2, node.awaitExit());
      assertTrue(node.err().contains("does not replicate"), node.err());
    }
    Path ofNode = folder.resolve("of-node");
    try (ServerProcess node = launch(2, port, ofNode)) {
      node.awaitListening().terminate().awaitExit();
    }
    try (ServerProcess alone =
        ServerProcess.launch(folder, Map.of(), "--port", "0", "--data-dir", ofNode.toString())) {
      assertEquals(2, alone.awaitExit());
      assertTrue(alone.err().contains("give --replicate"), alone.err());
    }
  }
}
