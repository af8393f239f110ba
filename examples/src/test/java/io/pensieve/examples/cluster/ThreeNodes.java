package io.pensieve.examples.cluster;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.testing.Ports;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** The script {@code three-nodes} on free ports, and what the nodes say. */
final class ThreeNodes {
  private static final Path SCRIPT =
      Path.of(System.getProperty("pensieve.root"), "examples/cluster/three-nodes");
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
  private final Path data;
  private final List<Integer> ports;
  private final List<Process> scripts = new ArrayList<>();

  ThreeNodes(Path data) {
    this.data = data;
    int first = Ports.take(6);
    this.ports = IntStream.range(first, first + 6).boxed().toList();
  }

  /** Starts nodes in a script of their own; all three if none is named. */
  Process start(String... nodes) throws IOException {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
    command.addAll(List.of(nodes));
    Process script =
        configured(new ProcessBuilder(command).redirectErrorStream(true))
            .redirectOutput(data.resolve("script" + scripts.size() + ".log").toFile())
            .start();
    scripts.add(script);
    return script;
  }

  private ProcessBuilder configured(ProcessBuilder builder) {
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("PENSIEVE_"));
    environment.put("PENSIEVE_CLUSTER_DATA", data.toString());
    environment.put(
        "PENSIEVE_CLUSTER_PORTS", "%d %d %d".formatted(ports.get(0), ports.get(1), ports.get(2)));
    environment.put(
        "PENSIEVE_CLUSTER_RAFT_PORTS",
        "%d %d %d".formatted(ports.get(3), ports.get(4), ports.get(5)));
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    // Most of what they do is to start.
    environment.put("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
    return builder;
  }

  String url(int node) {
    return "http://127.0.0.1:" + ports.get(node - 1);
  }

  ProcessHandle process(int node) throws IOException {
    String pid = Files.readString(data.resolve("node" + node + ".pid")).strip();
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }

  /** Starts a node again if a test has killed it. */
  void startIfKilled(int node) throws IOException {
    Path file = data.resolve("node" + node + ".pid");
    if (Files.exists(file)
        && ProcessHandle.of(Long.parseLong(Files.readString(file).strip())).isEmpty()) {
      Process unused = start("" + node);
    }
  }

  /** {@code kill -9}. */
  void kill(int node) throws Exception {
    ProcessHandle process = process(node);
    process.destroyForcibly();
    process.onExit().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  HttpResponse<String> cluster(int node) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(URI.create(url(node) + "/cluster")));
  }

  /** What a node answers to a path; 0 and nothing if it is not up. */
  String get(int node, String path) throws InterruptedException {
    try {
      HttpResponse<String> response = send(HttpRequest.newBuilder(URI.create(url(node) + path)));
      return response.statusCode() + " " + response.body();
    } catch (IOException notUp) {
      return "0";
    }
  }

  /** Puts, and returns the status; 0 if the node is not up. */
  int put(int node, String key, String value) throws InterruptedException {
    try {
      return send(HttpRequest.newBuilder(URI.create(url(node) + "/v1/kv/" + key))
              .PUT(HttpRequest.BodyPublishers.ofString(value)))
          .statusCode();
    } catch (IOException notUp) {
      return 0;
    }
  }

  HttpResponse<String> beat(int node, long sender) throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(URI.create(url(node) + "/internal/heartbeat"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"node_id\":" + sender + "}")));
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
  }

  /** What a node thinks of its peers, as in {@code {2=alive, 3=dead}}; nothing if it is not up. */
  Map<Integer, String> view(int node) throws InterruptedException {
    Map<Integer, String> view = new TreeMap<>();
    try {
      JsonObject body = JsonParser.parseString(cluster(node).body()).getAsJsonObject();
      for (JsonElement element : body.getAsJsonArray("peers")) {
        JsonObject peer = element.getAsJsonObject();
        int port = URI.create(peer.get("url").getAsString()).getPort();
        view.put(ports.indexOf(port) + 1, peer.get("state").getAsString());
      }
    } catch (IOException notUp) {
      return Map.of();
    }
    return view;
  }

  /** What the scripts and the nodes have written, for a test that failed. */
  String logs() {
    StringBuilder logs = new StringBuilder();
    try (var files = Files.newDirectoryStream(data, "*.log")) {
      for (Path file : files) {
        logs.append("\n== ").append(file).append('\n').append(Files.readString(file));
      }
    } catch (IOException unreadable) {
      logs.append(unreadable);
    }
    return logs.toString();
  }

  /**
   * Stops the scripts as Ctrl-C or a service manager would, and makes sure that nothing is left.
   */
  void stop() throws InterruptedException {
    List<ProcessHandle> nodes = scripts.stream().flatMap(Process::descendants).toList();
    scripts.forEach(Process::destroy);
    for (Process script : scripts) {
      if (!script.waitFor(2, TimeUnit.MINUTES)) {
        script.destroyForcibly();
      }
    }
    nodes.forEach(ProcessHandle::destroyForcibly);
  }
}
