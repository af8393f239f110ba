package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.Pensieve;
import io.pensieve.log.LogException;
import io.pensieve.testing.Ports;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class ReadReplicaTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final HttpClient client = HttpClient.newHttpClient();
  private final Map<String, String> expected = new TreeMap<>();
  private URI server = URI.create("http://none");

  @Test
  @SuppressWarnings("try") // it only has to run
  void theReplicaIsWhatTheServerIs(@TempDir Path folder) throws Exception {
    int port = Ports.take();
    server = URI.create("http://127.0.0.1:" + port);
    try (JavaProgram running = start(folder, port)) {
      put("before", "the replica");
      put("a b/ü%\"\\", "line\n\"\\\t€");
      put("binary", "application/octet-stream", "bytes");
      expected.remove("binary");
      try (Pensieve<String, String> replica = ReadReplica.open(server)) {
        awaitEqual(replica);
        put("after", "the replica");
        put("before", "changed");
        put("a text", "at first");
        put("a text", "application/octet-stream", "not now");
        expected.remove("a text");
        delete("a b/ü%\"\\");
        awaitEqual(replica);
        assertThrows(LogException.ReadOnly.class, () -> replica.put("mine", "1"));

        running.kill();
        assertEquals("changed", replica.get("before"), "still answers");
        try (JavaProgram again = start(folder, port)) {
          put("later", "after a restart");
          delete("before");
          awaitEqual(replica);
          again.kill();
        }
      }
    }
  }

  private static JavaProgram start(Path folder, int port) throws IOException {
    JavaProgram program =
        JavaProgram.start(
            io.pensieve.server.Main.class,
            folder,
            "--port",
            String.valueOf(port),
            "--data-dir",
            folder.resolve("data").toString());
    program.awaitLine("listening on ");
    return program;
  }

  private void put(String key, String value) throws Exception {
    put(key, "text/plain;charset=utf-8", value);
  }

  private void put(String key, String type, String value) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri(key))
            .header("Content-Type", type)
            .PUT(BodyPublishers.ofString(value));
    send(request, 201, 204);
    expected.put(key, value);
  }

  private void delete(String key) throws Exception {
    send(HttpRequest.newBuilder(uri(key)).DELETE(), 204);
    expected.remove(key);
  }

  private URI uri(String key) {
    String encoded = URLEncoder.encode(key, StandardCharsets.UTF_8).replace("+", "%20");
    return server.resolve("/v1/kv/" + encoded);
  }

  private void send(HttpRequest.Builder request, Integer... accepted) throws Exception {
    int status = client.send(request.build(), BodyHandlers.ofString()).statusCode();
    assertEquals(true, List.of(accepted).contains(status), () -> "status " + status);
  }

  private void awaitEqual(Pensieve<String, String> replica) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!expected.equals(replica) && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    assertEquals(expected, new TreeMap<>(replica));
  }
}
