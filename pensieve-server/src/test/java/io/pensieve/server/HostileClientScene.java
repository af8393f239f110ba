package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server with a small heap, among clients who mean it no good. It lives on, others are served
 * beside them, and whoever is silent for too long is cut off.
 */
@Tag(Depth.TAG)
abstract class HostileClientScene {
  static final int CLIENTS = Depth.of(40, 100, 200); // more than its heap has room for
  private static final int REQUESTS_BESIDE = 50;
  static final int BIG_BYTES = 2 << 20;
  static final int SPARE_FILES_OF_SERVER = 16;
  static final Duration SILENCE_MAX = Duration.ofSeconds(4);
  static final int ATTEMPTS_MAX = 5;
  static final long PATIENCE_NANOS = 120_000_000_000L;
  static final long POLL_NANOS = 100_000_000; // each look is a scrape
  static final int MIB = 1 << 20;
  static final String IN_FLIGHT = "http_server_requests_in_flight";
  static final String OPEN_FILES = "process_open_fds";
  static ServerProcess server;
  private static double filesWhenQuiet;

  final List<HostileConnection> hostile = new ArrayList<>();

  @BeforeAll
  static void serve(@TempDir Path folder) throws Exception {
    server = serve(folder, BIG_BYTES);
    filesWhenQuiet = metric(server, OPEN_FILES) + SPARE_FILES_OF_SERVER;
  }

  static ServerProcess serve(Path folder, int valueBytesMax) throws Exception {
    return ServerProcess.serveWithHeap(
        folder,
        "-Xmx64m",
        "--silence-max",
        SILENCE_MAX.toSeconds() + "s",
        "--value-bytes-max",
        String.valueOf(valueBytesMax),
        "--capacity",
        "4",
        "--durability",
        "none");
  }

  @AfterAll
  static void stops() throws Exception {
    assertEquals(0, server.terminate().awaitExit(), server.err());
    server.close();
  }

  @AfterEach
  void theServerLivesAndHasHadRoom() throws Exception {
    for (HostileConnection connection : hostile) {
      connection.close();
    }
    assertServesOthers(server);
    assertTrue(server.isAlive(), "it lives");
    assertEquals("", server.err());
  }

  HostileConnection connect() throws Exception {
    HostileConnection connection = new HostileConnection(server.port());
    hostile.add(connection);
    return connection;
  }

  HostileConnection connectNarrowly() throws Exception {
    HostileConnection connection = HostileConnection.narrow(server.port());
    hostile.add(connection);
    return connection;
  }

  /** A client that was slower than it may be, as any is on a busy machine, connects again. */
  static void assertServesOthers(ServerProcess server) throws Exception {
    for (int attempt = 1; ; attempt++) {
      try (HostileConnection wellBehaved = new HostileConnection(server.port())) {
        if (wellBehaved.isServed(REQUESTS_BESIDE)) {
          return;
        }
        assertTrue(
            wellBehaved.isOlderThan(SILENCE_MAX) && attempt < ATTEMPTS_MAX,
            "a connection is closed without a response");
      }
    }
  }

  /** Waits for the server to close them all, though none of them does. */
  static void awaitCutOff() throws Exception {
    long deadlineNanos = System.nanoTime() + PATIENCE_NANOS;
    while (metric(server, OPEN_FILES) > filesWhenQuiet || metric(server, IN_FLIGHT) > 1) {
      assertTrue(
          System.nanoTime() - deadlineNanos < 0,
          "kept for ever: "
              + metric(server, OPEN_FILES)
              + " files, "
              + metric(server, IN_FLIGHT)
              + " requests");
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  static double metric(ServerProcess server, String name) throws Exception {
    try (HostileConnection scraper = new HostileConnection(server.port())) {
      scraper.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      return scraper
          .readToEnd()
          .lines()
          .filter(line -> line.startsWith(name + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
          .findFirst()
          .orElseThrow();
    }
  }
}
