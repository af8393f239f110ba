package io.pensieve.server;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.testing.Ports;
import java.io.ByteArrayOutputStream;
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
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Servers of a cluster within this process, on loopback: they start at once, and share its JIT. */
final class ServersOfCluster implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long POLL_NANOS = 10_000_000;

  private final Path folder;
  private final List<Integer> ports = new ArrayList<>();
  private final Map<Setting, String> settings = new EnumMap<>(Setting.class);
  private final Map<Integer, PensieveServer> running = new TreeMap<>();
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final PrintStream print = new PrintStream(printed, true, StandardCharsets.UTF_8);
  private String scheme = "http";
  private HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** So many nodes may be started; each has a folder within this one. */
  ServersOfCluster(Path folder, int nodes) {
    this.folder = folder;
    while (ports.size() < nodes) {
      ports.add(Ports.take(2));
    }
    settings.put(Setting.REPLICATE, "true");
  }

  /** Gives all nodes that start from now on this setting. */
  ServersOfCluster with(Setting setting, String value) {
    settings.put(setting, value);
    return this;
  }

  /** Nodes that start from now on have the default of this setting. */
  ServersOfCluster without(Setting setting) {
    settings.remove(setting);
    return this;
  }

  /** All nodes speak TLS by the settings, and this client with them. */
  ServersOfCluster overTls(HttpClient trusting) {
    scheme = "https";
    client = trusting;
    return this;
  }

  String url(int id) {
    return scheme + "://localhost:" + ports.get(id - 1);
  }

  int raftPort(int id) {
    return ports.get(id - 1) + 1;
  }

  Path data(int id) {
    return folder.resolve("node" + id);
  }

  private Map<Setting, String> settings(int id) {
    Map<Setting, String> all = new EnumMap<>(settings);
    all.putIfAbsent(
        Setting.PEERS,
        IntStream.rangeClosed(1, 3).mapToObj(this::url).collect(Collectors.joining(",")));
    all.put(Setting.NODE_ID, "" + id);
    all.put(Setting.PORT, "" + ports.get(id - 1));
    all.put(Setting.DATA_DIR, data(id).toString());
    if (all.containsKey(Setting.REPLICATE)) {
      all.put(Setting.RAFT_PORT, "" + raftPort(id));
      all.put(Setting.ADVERTISE, url(id));
    }
    return all;
  }

  /** The flags with which a node starts. */
  private List<String> flags(int id) {
    List<String> flags = new ArrayList<>();
    settings(id).forEach((setting, value) -> flags.addAll(List.of(setting.flag(), value)));
    return flags;
  }

  /** Starts these nodes. */
  void start(int... ids) {
    for (int id : ids) {
      running.put(
          id,
          PensieveServer.start(
              Configuration.of(SettingValue.resolve(settings(id), Map.of())),
              print,
              print,
              print,
              cause -> print.println("failed: " + cause)));
    }
  }

  void stop(int id) {
    Objects.requireNonNull(running.remove(id), "not running").close();
  }

  /** Runs the program with these arguments and then the flags of a node; prints here. */
  int run(int id, String... arguments) throws InterruptedException {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(flags(id));
    return new Main(Map.of(), print, print).run(all.toArray(String[]::new));
  }

  /** All that servers and commands have printed. */
  String printed() {
    return printed.toString(StandardCharsets.UTF_8);
  }

  void forgetPrinted() {
    printed.reset();
  }

  void await(String what, Callable<Boolean> condition) throws Exception {
    long endNanos = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() - endNanos > 0) {
        throw new AssertionError("in vain: " + what + "\n" + printed());
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  void awaitReady(int... ids) throws Exception {
    for (int id : ids) {
      await("node " + id + " is ready", () -> get(id, "/readyz").statusCode() == 200);
    }
  }

  HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
  }

  HttpRequest.Builder request(int id, String path) {
    return HttpRequest.newBuilder(URI.create(url(id) + path));
  }

  HttpResponse<String> get(int id, String path) throws Exception {
    return send(request(id, path));
  }

  /** Saves what this path answers. */
  void download(int id, String path, Path file) throws Exception {
    HttpResponse<Path> response =
        client.send(request(id, path).timeout(PATIENCE).build(), BodyHandlers.ofFile(file));
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + " " + Files.readString(file));
    }
  }

  HttpResponse<String> put(int id, String key, String value) throws Exception {
    return send(request(id, "/v1/kv/" + key).PUT(BodyPublishers.ofString(value)));
  }

  /** Puts, and again as long as a leader is missing, or its answer. */
  void putInTheEnd(int id, String key, String value) throws Exception {
    await("to put " + key, () -> put(id, key, value).statusCode() < 300);
  }

  JsonObject cluster(int id) throws Exception {
    return JsonParser.parseString(get(id, "/v1/cluster").body()).getAsJsonObject();
  }

  int leader(int asked) throws Exception {
    await("a leader", () -> !cluster(asked).get("leader").isJsonNull());
    return cluster(asked).get("leader").getAsInt();
  }

  @Override
  public void close() {
    running.values().forEach(PensieveServer::close);
    running.clear();
  }
}
