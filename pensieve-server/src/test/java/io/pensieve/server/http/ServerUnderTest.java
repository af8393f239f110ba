package io.pensieve.server.http;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.file.FileLog;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.metrics.AccessLog;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.server.http.transport.ReloadableTls;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;

/** A server on a free port, its map, and a client that speaks in the domain's verbs. */
final class ServerUnderTest implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofMinutes(2);

  final Pensieve<String, StoredValue> entries;

  /** The entries, for those who only know texts. */
  final Map<String, String> map;

  final HttpServer http;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  ServerUnderTest(Log<String, StoredValue> log, HttpServer.Settings settings, Cluster cluster)
      throws IOException {
    this(log, settings, cluster, Alarms.silent());
  }

  ServerUnderTest(
      Log<String, StoredValue> log, HttpServer.Settings settings, Cluster cluster, Alarms alarms)
      throws IOException {
    this(log, settings, cluster, alarms, Optional.empty());
  }

  ServerUnderTest(
      Log<String, StoredValue> log,
      HttpServer.Settings settings,
      Cluster cluster,
      Alarms alarms,
      Optional<HttpServer.Replicated> replicated)
      throws IOException {
    entries =
        Pensieve.<String, StoredValue>builder()
            .maximumEntries(10_000)
            .recordStatistics()
            .orderKeys(Comparator.naturalOrder())
            .log(log)
            .open();
    map = new TextMap(entries);
    http = HttpServer.start(settings, entries, cluster, alarms, replicated);
  }

  /** A node of a cluster, as far as its routes know. */
  static ServerUnderTest replicated(
      long nodeId, HttpServer.Settings settings, HttpServer.Replicated replicated)
      throws IOException {
    return new ServerUnderTest(
        Log.inMemory(1000),
        settings,
        Cluster.alone(nodeId),
        Alarms.silent(),
        Optional.of(replicated));
  }

  static ServerUnderTest start() throws IOException {
    return new ServerUnderTest(Log.inMemory(1000), settings(), Cluster.alone(1));
  }

  /** A server whose log is in a folder, and so can tell its changes. */
  static ServerUnderTest over(Path folder, SizeLimits limits) throws IOException {
    FileLog<String, StoredValue> log = FileLog.at(folder, Codec.utf8(), StoredValue.codec());
    return new ServerUnderTest(
        log,
        on().limits(limits).durability(Optional.of(Durability.PROCESS_DEATH)).build(),
        Cluster.alone(1));
  }

  /** Default settings, of which a test changes some. */
  static HttpServer.Settings.Builder on() {
    return HttpServer.Settings.on(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  static HttpServer.Settings settings() {
    return on().build();
  }

  /** Default settings but for how long a client may be silent. */
  static HttpServer.Settings patientFor(Duration silenceMax) {
    ConnectionLimits defaults = ConnectionLimits.defaults();
    return letting(
        new ConnectionLimits(
            defaults.connectionsMax(),
            defaults.requestsMax(),
            silenceMax,
            defaults.drainDeadline()));
  }

  /** Default settings but for how many clients there is time for. */
  static HttpServer.Settings letting(ConnectionLimits connections) {
    return on().connections(connections).build();
  }

  /** Default settings, for a log that acknowledges later than it appends. */
  static HttpServer.Settings readsMayWait() {
    return on().durability(Optional.of(Durability.POWER_CUT)).build();
  }

  /** Default settings, for those whom these tokens let in. */
  static HttpServer.Settings openTo(Authorizer authorizer) {
    return on().authorizer(authorizer).build();
  }

  /** Default settings, with TLS. */
  static HttpServer.Settings showing(ReloadableTls tls, ConnectionLimits connections) {
    return on().tls(Optional.of(tls)).connections(connections).build();
  }

  /** Default settings, with a log of answers. */
  static HttpServer.Settings telling(AccessLog accessLog) {
    return on().accessLog(accessLog).build();
  }

  RawClient connect() throws IOException {
    return new RawClient(http.address());
  }

  HttpRequest.Builder request(String path) {
    int port = http.address().getPort();
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(PATIENCE);
  }

  HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }

  HttpResponse<byte[]> sendForBytes(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofByteArray());
  }

  HttpResponse<String> post(String path, String json) throws Exception {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(json)));
  }

  /** Puts through the route; the answer must be the one for a put that was done. */
  void put(String key, String value) throws Exception {
    JsonObject body = new JsonObject();
    body.addProperty("key", key);
    body.addProperty("val", value);
    require("{\"status\":\"ok\"}", post("/put", body.toString()));
  }

  /** Gets through the route. */
  String get(String key) throws Exception {
    HttpResponse<String> response = send(request("/get/" + escaped(key)));
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + " " + response.body());
    }
    return JsonParser.parseString(response.body()).getAsJsonObject().get("val").getAsString();
  }

  /** Deletes through the route; the answer must be the one for a removal that was done. */
  void delete(String key) throws Exception {
    require("{\"status\":\"ok\"}", send(request("/delete/" + escaped(key)).DELETE()));
  }

  private static void require(String body, HttpResponse<String> response) {
    if (response.statusCode() != 200 || !response.body().equals(body)) {
      throw new AssertionError(response.statusCode() + " " + response.body());
    }
  }

  static String escaped(String key) {
    return URLEncoder.encode(key, StandardCharsets.UTF_8).replace("+", "%20");
  }

  static String code(String problem) {
    return JsonParser.parseString(problem).getAsJsonObject().get("code").getAsString();
  }

  @Override
  public void close() {
    http.close();
    entries.close();
  }
}
