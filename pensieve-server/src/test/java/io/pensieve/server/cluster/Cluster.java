package io.pensieve.server.cluster;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.server.cluster.HttpConnection.Response;
import io.pensieve.testing.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/** Three nodes that are one store. */
final class Cluster implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final int SIZE = 3;
  private static final int DISK_MIB = 192; // 128 are the nodes' reserve
  private static final int LOG_BYTES = 1 << 20; // the least: snapshots come soon
  private static final int PORT_ON_ITS_OWN_HOST = 7878;
  private static final long POLL_NANOS = 20_000_000;

  private final List<Node> nodes;
  private final Optional<Network> network;

  private Cluster(List<Node> nodes, Optional<Network> network) {
    this.nodes = nodes;
    this.network = network;
  }

  /** Three on loopback, each with a port for clients and the next one for its peers. */
  static Cluster onLoopback(Path folder) {
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (int id = 1; id <= SIZE; id++) {
      addresses.add(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.take(2)));
    }
    return new Cluster(nodes(folder, addresses, Optional.empty()), Optional.empty());
  }

  /** Three on hosts of their own. */
  static Cluster on(Network network, Path folder) {
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (int host = 1; host <= SIZE; host++) {
      addresses.add(new InetSocketAddress(network.address(host), PORT_ON_ITS_OWN_HOST));
    }
    return new Cluster(nodes(folder, addresses, Optional.of(network)), Optional.of(network));
  }

  private static List<Node> nodes(
      Path folder, List<InetSocketAddress> addresses, Optional<Network> network) {
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < SIZE; i++) {
      InetSocketAddress own = addresses.get(i);
      int id = i + 1;
      List<String> arguments = new ArrayList<>(List.of("--replicate", "--durability", "power-cut"));
      arguments.addAll(List.of("--capacity", "100000", "--node-id", Integer.toString(id)));
      arguments.addAll(List.of("--raft-port", Integer.toString(own.getPort() + 1)));
      arguments.addAll(List.of("--raft-log-bytes", Integer.toString(LOG_BYTES)));
      List<String> peers =
          addresses.stream()
              .filter(each -> !each.equals(own))
              .map(each -> "http://" + each.getHostString() + ":" + each.getPort())
              .toList();
      arguments.addAll(List.of("--peers", String.join(",", peers)));
      if (network.isPresent()) {
        arguments.addAll(List.of("--allow-anonymous", "--allow-plain-replication"));
      }
      List<String> launcher = network.map(net -> net.launcher(id)).orElse(List.of());
      nodes.add(new Node(id, own, folder, launcher, arguments));
    }
    return nodes;
  }

  /** Gives each node a disk of its own, before the start. Returns whether that can be. */
  boolean mountDisks() throws Exception {
    boolean mounted = true;
    for (Node each : nodes) {
      mounted = mounted && each.mountDisk(DISK_MIB);
    }
    return mounted;
  }

  /** Gives each node a machine of its own, before the start. Returns whether that can be. */
  boolean giveMachines(Path folder) throws Exception {
    Optional<Path> library = Machine.library(folder);
    if (library.isPresent()) {
      for (Node each : nodes) {
        each.runOn(Machine.of(library.get(), folder.resolve("machine-" + each.id())));
      }
    }
    return library.isPresent();
  }

  List<Node> nodes() {
    return nodes;
  }

  Network network() {
    return network.orElseThrow();
  }

  Cluster start() throws Exception {
    for (Node each : nodes) {
      each.start();
    }
    for (Node each : nodes) {
      each.awaitListening();
    }
    awaitReady();
    return this;
  }

  /** Waits until all nodes say that they are ready. */
  void awaitReady() throws Exception {
    for (Node each : nodes) {
      await(each + " is ready", () -> isReady(each));
    }
  }

  static boolean isReady(Node node) throws Exception {
    try (KeyClient client = new KeyClient()) {
      return client
          .send(node, "GET", "/readyz", "", "")
          .filter(it -> it.status() == 200)
          .isPresent();
    }
  }

  /** The node that leads, when there is one that says so. */
  Node leader() throws Exception {
    await("there is a leader", () -> findLeader().isPresent());
    return findLeader().orElse(nodes.get(0));
  }

  /** One that does not lead. */
  Node follower() throws Exception {
    Node leader = leader();
    return nodes.stream().filter(each -> each != leader).findFirst().orElseThrow();
  }

  private Optional<Node> findLeader() throws IOException {
    Optional<Node> leader = Optional.empty();
    long term = -1;
    for (Node each : nodes) {
      Optional<JsonObject> state = each.isUp() ? state(each) : Optional.empty();
      boolean leads =
          state.isPresent()
              && state.get().get("role").getAsString().equals("leader")
              && state.get().get("term").getAsLong() > term;
      if (leads) {
        term = state.get().get("term").getAsLong();
        leader = Optional.of(each);
      }
    }
    return leader;
  }

  static Optional<JsonObject> state(Node node) throws IOException {
    try (KeyClient client = new KeyClient()) {
      return client
          .send(node, "GET", "/v1/cluster", "", "")
          .filter(response -> response.status() == 200)
          .map(response -> JsonParser.parseString(response.body()).getAsJsonObject());
    } catch (IOException notConnected) {
      return Optional.empty();
    }
  }

  /** Waits until all nodes hold the same entries with the same versions; returns how many. */
  int awaitEqual() throws Exception {
    List<Map<String, String>> held = new ArrayList<>();
    await(
        "all nodes hold the same",
        () -> {
          held.clear();
          for (Node each : nodes) {
            held.add(entries(each));
          }
          return held.stream().distinct().count() == 1;
        });
    return held.get(0).size();
  }

  /** What a node holds by itself: values and versions by keys. */
  private static Map<String, String> entries(Node node) throws IOException {
    Map<String, String> entries = new TreeMap<>();
    try (KeyClient client = new KeyClient()) {
      String cursor = "";
      do {
        String page = "/v1/keys?consistency=stale&limit=1000" + cursor;
        JsonObject keys = JsonParser.parseString(body(client, node, page)).getAsJsonObject();
        for (JsonElement key : keys.getAsJsonArray("keys")) {
          String path = "/v1/kv/" + key.getAsString() + "?consistency=stale";
          Optional<Response> response = client.send(node, "GET", path, "", "");
          response.ifPresent(
              it -> entries.put(key.getAsString(), it.field("etag") + " " + it.body()));
        }
        cursor = keys.has("cursor") ? "&cursor=" + keys.get("cursor").getAsString() : "";
      } while (!cursor.isEmpty());
    }
    return entries;
  }

  private static String body(KeyClient client, Node node, String target) throws IOException {
    return client
        .send(node, "GET", target, "", "")
        .orElseThrow(() -> new IOException(node + " does not answer " + target))
        .body();
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  void await(String what, Condition condition) throws Exception {
    long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        if (condition.holds()) {
          return;
        }
      } catch (IOException notYet) {
        // It may be about to start, or to answer.
      }
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new AssertionError("in vain: " + what + "\n" + report());
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /** What all nodes say of themselves, and the last that they have printed. */
  String report() throws IOException {
    StringBuilder report = new StringBuilder();
    for (Node each : nodes) {
      report.append(each).append(each.isUp() ? " is up: " : " is down: ");
      report.append(each.isUp() ? state(each).map(Object::toString).orElse("silent") : "");
      report.append('\n').append(each.printed());
    }
    return report.toString();
  }

  @Override
  public void close() throws IOException {
    for (Node each : nodes) {
      each.close();
    }
  }
}
