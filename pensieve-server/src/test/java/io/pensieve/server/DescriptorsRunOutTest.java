package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server whose limit of open files falls while it runs, so that not one is left: the bound of
 * connections, which is taken from that limit at the start, is no help then.
 */
@Timeout(300)
final class DescriptorsRunOutTest {
  private static final Path PRLIMIT = Path.of("/usr/bin/prlimit");
  private static final String LIVEZ = "GET /livez HTTP/1.1\r\nHost: localhost\r\n";
  private static final int MIB = 1 << 20;
  private static final int CLIENTS =
      100; // so many that a few descriptors more or less are still too few
  private static final int ENOUGH = 500;
  private static final long POLL_NANOS = 20_000_000;

  private final Path folder;
  private static final String ACCEPT_FAILED = "XNIO008001: Socket accept failed, backing off";

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  DescriptorsRunOutTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void withoutADescriptorItGoesOnAndAcceptsAgain() throws Exception {
    assumeTrue(Files.isExecutable(PRLIMIT), "nothing lowers the limit of a process that runs");
    try (ServerProcess server =
        ServerProcess.serve(folder, "--data-dir", folder.resolve("data").toString())) {
      assertEquals(201, put(server, 0, 1).statusCode()); // its connection stays
      List<HostileConnection> connections = new ArrayList<>();
      connect(server, connections);
      for (HostileConnection accepted : connections) {
        accepted.send(LIVEZ + "\r\n");
        assertTrue(accepted.read(1000).startsWith("HTTP/1.1 200"));
      }
      // First with enough, then with a few left: these tests have each class in a file of its own,
      // which must be read.
      putSome(server);
      assertEquals(200, send(request(server, "/metrics")).statusCode());
      limit(server, nextDescriptor(server) + 5);
      awaitAlarms(server, 1);
      putSome(server);
      limit(server, ENOUGH);
      awaitAlarms(server, 2); // that it is over
      limit(server, nextDescriptor(server));
      connect(server, connections); // these are not accepted
      awaitAlarms(server, 3);
      assertEquals(200, send(request(server, "/metrics")).statusCode());
      putSome(server);
      for (HostileConnection connection : connections) {
        connection.close();
      }
      try (HostileConnection accepted = new HostileConnection(server.port())) {
        accepted.send(LIVEZ + "Connection: close\r\n\r\n");
        assertTrue(accepted.readToEnd().startsWith("HTTP/1.1 200"), "accepted by itself");
      }
      limit(server, ENOUGH);
      awaitAlarms(server, 4);
      HttpResponse<String> ready = send(request(server, "/readyz"));
      assertEquals(200, ready.statusCode(), ready.body());
      while (put(server, 0, 1).statusCode() / 100 != 2) {
        LockSupport.parkNanos(POLL_NANOS); // the timeout of the test ends this
      }
      assertEquals(0, server.terminate().awaitExit());
    }
  }

  /** Waits for so many lines of this alarm. All others are XNIO's, which cannot accept. */
  private static void awaitAlarms(ServerProcess server, int count) throws Exception {
    while (server.err().lines().filter(DescriptorsRunOutTest::isAlarm).count() < count) {
      LockSupport.parkNanos(POLL_NANOS); // the timeout of the test ends this
    }
    assertTrue(
        server.err().lines().allMatch(line -> isAlarm(line) || line.contains(ACCEPT_FAILED)),
        server.err());
  }

  private static boolean isAlarm(String line) {
    return line.contains(" alarm descriptors_short");
  }

  /**
   * Puts over the connection that is there. A put may be refused while the log has no descriptor
   * for its next file, but none fails the log.
   */
  private void putSome(ServerProcess server) throws Exception {
    for (int i = 0; i < 10; i++) {
      HttpResponse<String> put = put(server, i % 3, MIB);
      boolean isRefused = put.statusCode() == 503 && !put.body().contains("log_failed");
      assertTrue(put.statusCode() / 100 == 2 || isRefused, put.statusCode() + " " + put.body());
    }
  }

  private static void connect(ServerProcess server, List<HostileConnection> connections)
      throws IOException {
    for (int i = 0; i < CLIENTS; i++) {
      connections.add(new HostileConnection(server.port()));
    }
  }

  private static void limit(ServerProcess server, long files) throws Exception {
    ProcessBuilder prlimit =
        new ProcessBuilder(
            PRLIMIT.toString(), "--pid", Long.toString(server.pid()), "--nofile=" + files + ":");
    assertEquals(0, prlimit.inheritIO().start().waitFor());
  }

  /** The lowest number that is free, which the next descriptor would have. */
  private static long nextDescriptor(ServerProcess server) throws IOException {
    Path open = Path.of("/proc", Long.toString(server.pid()), "fd");
    long next = 0;
    while (Files.exists(open.resolve(Long.toString(next)), LinkOption.NOFOLLOW_LINKS)) {
      next++;
    }
    return next;
  }

  private HttpResponse<String> put(ServerProcess server, int key, int length) throws Exception {
    return send(request(server, "/v1/kv/" + key).PUT(BodyPublishers.ofByteArray(new byte[length])));
  }

  private HttpRequest.Builder request(ServerProcess server, String path) throws Exception {
    return HttpRequest.newBuilder(URI.create(server.url() + path)).timeout(Duration.ofSeconds(60));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }
}
