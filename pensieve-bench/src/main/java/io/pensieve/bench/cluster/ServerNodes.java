package io.pensieve.bench.cluster;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** Three servers on loopback that are one store, in processes of their own. */
final class ServerNodes implements AutoCloseable {
  static final int COUNT = 3;

  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Duration REQUEST_PATIENCE = Duration.ofSeconds(10);
  private static final long POLL_MILLIS = 10;

  private final String jar;
  private final Path folder;
  private final int firstPort;
  private final List<String> javaOptions;
  private final Process[] processes = new Process[COUNT];
  final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /**
   * @param firstPort the port of the first one; each of them takes two
   * @param javaOptions what their virtual machines are told
   */
  ServerNodes(String jar, Path folder, int firstPort, List<String> javaOptions) {
    this.jar = jar;
    this.folder = folder;
    this.firstPort = firstPort;
    this.javaOptions = javaOptions;
  }

  private int port(int node) {
    return firstPort + 2 * node;
  }

  String url(int node) {
    return "http://127.0.0.1:" + port(node);
  }

  /** A node's id is its number plus one. */
  static String id(int node) {
    return Integer.toString(node + 1);
  }

  void start(int node) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    command.addAll(javaOptions);
    command.addAll(List.of("-jar", jar, "--replicate", "--durability", "power-cut"));
    command.addAll(List.of("--port", Integer.toString(port(node)), "--node-id", id(node)));
    command.addAll(List.of("--raft-port", Integer.toString(port(node) + 1)));
    command.addAll(List.of("--capacity", "2000000", "--data-dir", data(node).toString()));
    List<String> peers = new ArrayList<>();
    for (int other = 0; other < COUNT; other++) {
      if (other != node) {
        peers.add(url(other));
      }
    }
    command.addAll(List.of("--peers", String.join(",", peers)));
    File printed = folder.resolve("node" + id(node) + ".txt").toFile();
    processes[node] =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(printed))
            .start();
  }

  void startAll() throws Exception {
    for (int node = 0; node < COUNT; node++) {
      start(node);
    }
    for (int node = 0; node < COUNT; node++) {
      awaitReady(node);
    }
  }

  Path data(int node) {
    return folder.resolve("data" + id(node));
  }

  /** SIGKILL. */
  void kill(int node) throws InterruptedException {
    processes[node].destroyForcibly().waitFor();
  }

  /** Removes all that a node had. */
  void wipe(int node) throws IOException {
    try (Stream<Path> files = Files.walk(data(node))) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  void awaitReady(int node) throws Exception {
    await("node " + id(node) + " is ready", () -> status(url(node) + "/readyz") == 200);
  }

  /** The status of a response; 0 if there is none. */
  int status(String url) {
    try {
      return client.send(request(url).build(), BodyHandlers.discarding()).statusCode();
    } catch (IOException | InterruptedException none) {
      return 0;
    }
  }

  /** The number of the node that leads. */
  int leader() throws Exception {
    int[] leader = {-1};
    await(
        "a node leads",
        () -> {
          for (int node = 0; node < COUNT; node++) {
            if (processes[node].isAlive() && says(node, "\"role\":\"leader\"")) {
              leader[0] = node;
            }
          }
          return leader[0] >= 0;
        });
    return leader[0];
  }

  /** Whether what a node says of the cluster has this part. */
  boolean says(int node, String part) {
    try {
      return client
          .send(request(url(node) + "/cluster").build(), BodyHandlers.ofString())
          .body()
          .contains(part);
    } catch (IOException | InterruptedException silent) {
      return false;
    }
  }

  String post(String url, String json) throws Exception {
    HttpResponse<String> response =
        client.send(
            request(url)
                .header("Content-Type", "application/json")
                .timeout(PATIENCE)
                .POST(BodyPublishers.ofString(json))
                .build(),
            BodyHandlers.ofString());
    if (response.statusCode() / 100 != 2) {
      throw new IOException(url + ": " + response.statusCode() + " " + response.body());
    }
    return response.body();
  }

  static HttpRequest.Builder request(String url) {
    return HttpRequest.newBuilder(URI.create(url)).timeout(REQUEST_PATIENCE);
  }

  static void await(String what, BooleanSupplier condition) throws Exception {
    long startNanos = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - startNanos > PATIENCE.toNanos()) {
        throw new IOException("in vain: " + what);
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  @Override
  public void close() {
    for (Process process : processes) {
      if (process != null) {
        process.destroyForcibly().onExit().join();
      }
    }
  }
}
