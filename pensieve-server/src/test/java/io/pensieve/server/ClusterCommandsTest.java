package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.pensieve.testing.Ports;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the commands on a cluster send to nodes, and print of their responses. */
@Timeout(120)
final class ClusterCommandsTest {
  private static final String ADMIN = "the-token-of-an-admin";
  private static final String READER = "the-token-that-may-read";

  private final List<Node> nodes = new ArrayList<>();

  @AfterEach
  void stop() {
    nodes.forEach(node -> node.http.stop(0));
  }

  /** A server that gives one response, and remembers the requests. */
  private final class Node {
    private final HttpServer http;
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private volatile int status = 200;
    private volatile String response = "{\"status\":\"ok\"}";

    Node() throws IOException {
      http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      http.createContext("/", this::respond);
      http.start();
      nodes.add(this);
    }

    private void respond(HttpExchange exchange) throws IOException {
      String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
      requests.add(
          exchange.getRequestMethod()
              + " "
              + exchange.getRequestURI()
              + " "
              + exchange.getRequestHeaders().getFirst("Authorization")
              + " "
              + body);
      byte[] bytes = response.getBytes(UTF_8);
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    }

    String url() {
      return "http://127.0.0.1:" + http.getAddress().getPort();
    }
  }

  private static CommandRun run(Node node, String... command) {
    List<String> arguments = new ArrayList<>(List.of("cluster"));
    arguments.addAll(List.of(command));
    arguments.addAll(List.of("--url", node.url() + "/"));
    Map<String, String> tokens = Map.of("PENSIEVE_TOKENS", "read " + READER + ",admin " + ADMIN);
    return CommandRun.of(tokens, arguments.toArray(String[]::new));
  }

  @Test
  void theStatusIsTheLeaders() throws Exception {
    Node follower = new Node();
    Node leader = new Node();
    String members =
        "\"term\":7,\"leader\":\"2\",\"commit_index\":40,\"members\":[{\"id\":\"2\",\"url\":\""
            + leader.url()
            + "\"},{\"id\":\"1\",\"url\":\"http://one\"";
    follower.response = "{\"role\":\"follower\"," + members + "}]}";
    leader.response =
        "{\"role\":\"leader\"," + members + ",\"lag\":3,\"silent_ms\":12}],\"waits_for\":null}";
    CommandRun status = run(follower, "status");
    assertEquals(0, status.status(), status.err());
    List<String> lines = status.out().lines().map(line -> line.replaceAll(" +", " ")).toList();
    assertEquals(
        List.of(
            "term 7, leader 2, 40 entries committed",
            " 2 " + leader.url() + " leader",
            " 1 http://one 3 entries behind, heard 12 ms ago"),
        lines);
    String request = "GET /v1/cluster Bearer " + READER + " ";
    assertEquals(List.of(request), follower.requests);
    assertEquals(List.of(request), leader.requests);
  }

  @Test
  void aClusterWithoutALeaderIsUnwell() throws Exception {
    Node node = new Node();
    node.response = "{\"role\":\"candidate\",\"term\":2,\"leader\":null,\"members\":[]}";
    CommandRun status = run(node, "status");
    assertEquals(1, status.status(), status.err());
    assertTrue(status.out().contains("leader unknown"), status.out());
  }

  @Test
  void changesAreThoseOfAnAdmin() throws Exception {
    Node node = new Node();
    for (String[] command :
        List.of(
            new String[] {"add", "http://d:7878"},
            new String[] {"remove", "2"},
            new String[] {"replace", "2", "http://d:7878"},
            new String[] {"transfer", "3"},
            new String[] {"transfer"})) {
      CommandRun change = run(node, command);
      assertEquals(0, change.status(), change.err());
      assertEquals("done", change.out().strip());
    }
    String admin = " Bearer " + ADMIN + " ";
    assertEquals(
        List.of(
            "POST /v1/cluster/add" + admin + "{\"url\":\"http://d:7878\"}",
            "POST /v1/cluster/remove" + admin + "{\"id\":\"2\"}",
            "POST /v1/cluster/transfer" + admin + "{\"id\":\"3\"}",
            "POST /v1/cluster/transfer" + admin + "{\"id\":\"\"}"),
        node.requests.stream().filter(request -> !request.contains("/replace")).toList());
    String replaced = node.requests.get(2); // whose fields have no order
    assertTrue(replaced.startsWith("POST /v1/cluster/replace" + admin), replaced);
    assertTrue(replaced.contains("\"id\":\"2\""), replaced);
    assertTrue(replaced.contains("\"url\":\"http://d:7878\""), replaced);
  }

  @Test
  void aRefusalNamesTheNodeAndTheReason() throws Exception {
    Node node = new Node();
    node.status = 409;
    node.response = "{\"code\":\"cluster_change_refused\",\"detail\":\"2 is no member\"}";
    run(node, "remove", "2")
        .assertEndsInOneLine(node.url() + " answers 409 cluster_change_refused: 2 is no member");
    node.status = 502;
    node.response = "<html>a proxy</html>";
    run(node, "status").assertEndsInOneLine(node.url() + " answers 502");
  }

  @Test
  void whatIsNoNodeEndsInOneLine() throws Exception {
    Node node = new Node();
    node.response = "<html>welcome</html>";
    run(node, "status").assertEndsInOneLine("no JSON from " + node.url());
    node.response = "{\"status\":\"ok\"}";
    run(node, "status").assertEndsInOneLine(node.url() + " does not replicate");
    try (Socket dead = Ports.dead()) {
      String url = "http://127.0.0.1:" + dead.getLocalPort();
      CommandRun.of(Map.of(), "cluster", "status", "--url", url)
          .assertEndsInOneLine("no server answers at " + url);
    }
    CommandRun.of(Map.of(), "cluster", "status", "--url", "node 2").assertEndsInOneLine("node 2");
  }

  @Test
  void aNodeWithACertificateIsTrustedByTheAuthoritiesOfPeers(@TempDir Path folder)
      throws Exception {
    Certificates authority = Certificates.authority();
    Path trusted = Files.write(folder.resolve("ca.pem"), authority.chainPem());
    Path strangers = Files.write(folder.resolve("other.pem"), Certificates.authority().chainPem());
    Path chain = folder.resolve("chain.pem");
    Path key = folder.resolve("key.pem");
    authority.signed().write(chain, key);
    Map<Setting, String> flags = new EnumMap<>(Setting.class);
    flags.put(Setting.PORT, "0");
    flags.put(Setting.DURABILITY, "none");
    flags.put(Setting.TLS_CERTIFICATE, chain.toString());
    flags.put(Setting.TLS_KEY, key.toString());
    Configuration configuration = Configuration.of(SettingValue.resolve(flags, Map.of()));
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, UTF_8);
    try (PensieveServer server =
        PensieveServer.start(configuration, nowhere, nowhere, nowhere, failure -> {})) {
      statusOf(server, trusted).assertEndsInOneLine("does not replicate");
      statusOf(server, strangers).assertEndsInOneLine("the connection to " + server.url());
    }
  }

  private static CommandRun statusOf(PensieveServer server, Path authorities) {
    return CommandRun.of(
        Map.of("PENSIEVE_PEERS_CA", authorities.toString()),
        "cluster",
        "status",
        "--url",
        server.url());
  }
}
