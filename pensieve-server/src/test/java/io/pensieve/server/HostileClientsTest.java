package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.UnixOperatingSystemMXBean;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.testing.Depth;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server with a small heap, among clients who mean it no good. It lives on, others are served
 * beside them, and whoever is silent for too long is cut off.
 */
@Tag(Depth.TAG)
final class HostileClientsTest {
  private static final int CLIENTS = Depth.of(40, 100, 200); // more than its heap has room for
  private static final int FLOODS = Depth.of(10, 60, 200);
  private static final int REQUESTS_BESIDE = 50;
  private static final int IDLE_CONNECTIONS = Depth.of(1_000, 10_000, 10_000);
  private static final int IDLE_CONNECTIONS_MAX = 10_240; // as many as its heap allows
  private static final int SPARE_FILES = 1_000;
  private static final int BIG_BYTES = 2 << 20;
  private static final int BIG_EVENTS = 20; // more than a connection's buffers take
  private static final int HUGE_BYTES = 4 << 20;
  private static final int STUCK_BYTES = 256 << 10;
  private static final int SPARE_FILES_OF_SERVER = 16;
  private static final Duration SILENCE_MAX = Duration.ofSeconds(4);
  private static final Duration SILENCE_MAX_DEFAULT = ConnectionLimits.defaults().silenceMax();
  private static final int ATTEMPTS_MAX = 5;
  private static final String CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
  private static final long PATIENCE_NANOS = 120_000_000_000L;
  private static final long POLL_NANOS = 20_000_000;
  private static final int BODY_BYTES_MAX = 3 * (BIG_BYTES + 1024) + 1024;
  private static final int MIB = 1 << 20;
  private static final String IN_FLIGHT = "http_server_requests_in_flight";
  private static final String OPEN_FILES = "process_open_fds";
  private static final String PUT =
      "POST /put HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  private static final String CHUNK = "10000\r\n" + "x".repeat(64 << 10) + "\r\n";
  private static ServerProcess server;
  private static double filesWhenQuiet;

  private final List<HostileConnection> hostile = new ArrayList<>();

  @BeforeAll
  static void serve(@TempDir Path folder) throws Exception {
    server = serve(folder, BIG_BYTES);
    filesWhenQuiet = metric(server, OPEN_FILES) + SPARE_FILES_OF_SERVER;
  }

  private static ServerProcess serve(Path folder, int valueBytesMax) throws Exception {
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

  private HostileConnection connect() throws Exception {
    HostileConnection connection = new HostileConnection(server.port());
    hostile.add(connection);
    return connection;
  }

  private HostileConnection connectNarrowly() throws Exception {
    HostileConnection connection = HostileConnection.narrow(server.port());
    hostile.add(connection);
    return connection;
  }

  /** A client that was slower than it may be, as any is on a busy machine, connects again. */
  private static void assertServesOthers(ServerProcess server) throws Exception {
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
  private static void awaitCutOff() throws Exception {
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

  @Test
  void halfSentHeadersAndBodies() throws Exception {
    for (int i = 0; i < CLIENTS; i++) {
      connect().send("GET /get/fo");
      connect().send(PUT + "Content-Le");
      connect().send(PUT + "Content-Length: 100\r\n\r\n{\"key\":");
      connect().send(PUT + "Transfer-Encoding: chunked\r\n\r\n5\r\nab");
    }
    assertServesOthers(server);
    awaitCutOff();
  }

  @Test
  void claimedLengths() throws Exception {
    for (int i = 0; i < CLIENTS; i++) {
      connect().send(PUT + "Content-Length: 2000000000\r\n\r\nabc");
      HostileConnection withinLimit = connect();
      withinLimit.send("PUT /v1/kv/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + BIG_BYTES);
      withinLimit.send("\r\n\r\nabc");
    }
    assertServesOthers(server);
    for (int i = 0; i < hostile.size(); i += 2) {
      hostile.get(i).assertAnswered("413", SILENCE_MAX);
    }
    awaitCutOff();
  }

  @Test
  void endlessChunks() throws Exception {
    for (int i = 0; i < CLIENTS / 4; i++) {
      connect().send(PUT + CHUNKED);
      connect().send("PUT /v1/kv/a HTTP/1.1\r\nHost: localhost\r\n" + CHUNKED);
    }
    // All of them at once, so that what is within the limit of each is more than there is room for.
    int[] begun = new int[hostile.size()]; // how much of a chunk, if not all of it was taken
    for (int chunk = 0; chunk < 2 * BODY_BYTES_MAX / CHUNK.length(); chunk++) {
      for (int i = 0; i < begun.length; i++) {
        String rest = CHUNK.substring(begun[i]);
        long taken = hostile.get(i).flood(rest, rest.length());
        begun[i] = (int) (begun[i] + taken) % CHUNK.length();
      }
    }
    assertServesOthers(server);
    int refused = 0;
    for (HostileConnection connection : hostile) {
      String response = connection.read(MIB);
      // Whoever sends on for longer than the server drops what comes is cut off, response and all.
      assertTrue(response.isEmpty() || response.matches("(?s)HTTP/1.1 (413|503) .*"), response);
      refused += response.isEmpty() ? 0 : 1;
    }
    assertTrue(refused > 0, "some have their response");
    awaitCutOff();
  }

  @Test
  void headerFloods() throws Exception {
    for (int i = 0; i < FLOODS; i++) {
      HostileConnection lines = connect().send("GET /get/foo HTTP/1.1\r\nHost: localhost\r\n");
      assertTakesLess(lines, "X-Flood: " + "x".repeat(1000) + "\r\n", 100L * MIB);
      HostileConnection line = connect().send("GET /");
      assertTakesLess(line, "x".repeat(1000), 100L * MIB);
    }
    assertServesOthers(server);
    awaitCutOff();
  }

  private static void assertTakesLess(HostileConnection flooding, String piece, long bytesMax)
      throws Exception {
    long taken = flooding.flood(piece, bytesMax);
    assertTrue(taken < bytesMax, () -> "took " + taken + " bytes");
  }

  @Test
  void idleConnections(@TempDir Path folder) throws Exception {
    // Patient with them: the last is to come before the first is cut off.
    try (ServerProcess patient =
        ServerProcess.serveWithHeap(
            folder,
            "-Xmx320m",
            "--durability",
            "none",
            "--connections-max",
            String.valueOf(IDLE_CONNECTIONS_MAX))) {
      long count = Math.min(IDLE_CONNECTIONS, spareFiles());
      for (int i = 0; i < count; i++) {
        hostile.add(new HostileConnection(patient.port()));
      }
      assertServesOthers(patient);
      assertTrue(metric(patient, OPEN_FILES) >= count, () -> "not open at once: " + count);
      assertEquals("", patient.err());
    }
  }

  private static long spareFiles() {
    UnixOperatingSystemMXBean system =
        (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getMaxFileDescriptorCount() - system.getOpenFileDescriptorCount() - SPARE_FILES;
  }

  @Test
  void readersThatDoNotRead() throws Exception {
    putBig();
    for (int i = 0; i < CLIENTS; i++) {
      connectNarrowly().send("GET /v1/kv/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (HostileConnection reader : hostile) {
      reader.assertAnswered("200", SILENCE_MAX);
    }
    assertServesOthers(server);
    awaitCutOff();
    double direct = metric(server, "jvm_buffer_memory_used_bytes{id=\"direct\"}");
    assertTrue(direct < BIG_BYTES, () -> "outside the heap: " + direct);
  }

  @Test
  void readersThatDoNotReadTexts() throws Exception {
    putBig();
    for (int i = 0; i < CLIENTS; i++) {
      connectNarrowly().send("GET /get/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
      connectNarrowly().send("GET /v1/kv/big?as=json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (HostileConnection reader : hostile) {
      reader.assertAnswered("200|503", SILENCE_MAX);
    }
    assertServesOthers(server);
    awaitCutOff();
  }

  @Test
  void readersOfControlCharacters() throws Exception {
    // As JSON each becomes six, of which several readers take the whole, and others nothing.
    String unused = put(server, "control", "\u0001".repeat(BIG_BYTES));
    for (int i = 0; i < CLIENTS; i++) {
      connectNarrowly().send("GET /get/control HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    List<HostileConnection> watchers = watchAndReadTheHead("", 1);
    unused = put(server, "control", "\u0002".repeat(BIG_BYTES));
    try (HostileConnection watcher = watchers.get(0)) {
      readAtLeast(watcher, 6L * BIG_BYTES);
    }
    for (int i = 0; i < 3; i++) {
      awaitWhole("GET /get/control", 6L * BIG_BYTES);
    }
    assertServesOthers(server);
    tellUntilTheyAreGone();
  }

  /** Waits until there is room for so long a response: those who do not read take it at first. */
  private static void awaitWhole(String request, long bytes) throws Exception {
    long deadlineNanos = System.nanoTime() + PATIENCE_NANOS;
    while (true) {
      try (HostileConnection reader = new HostileConnection(server.port())) {
        String head = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        if (reader.send(request + head).readToEnd().length() >= bytes) {
          return;
        }
      }
      assertTrue(System.nanoTime() - deadlineNanos < 0, "refused, or cut off, for ever");
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private static void readAtLeast(HostileConnection reader, long bytes) throws Exception {
    for (long rest = bytes; rest > 0; ) {
      int read = reader.read(MIB).length();
      assertTrue(read > 0, "closed in the middle");
      rest -= read;
    }
  }

  @Test
  void readersThatStayAfterALongAnswer() throws Exception {
    putBig();
    for (int i = 0; i < CLIENTS / 4; i++) {
      HostileConnection reader = connect().send("GET /get/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
      for (long rest = BIG_BYTES; rest > 0; ) {
        int read = reader.read(MIB).length();
        assertTrue(read > 0, "closed in the middle of an answer");
        rest -= read;
      }
    }
    assertServesOthers(server);
  }

  @Test
  void watchersThatDoNotRead() throws Exception {
    putBig();
    watchAndReadTheHead("");
    for (int i = 0; i < BIG_EVENTS; i++) {
      putBig();
    }
    assertServesOthers(server);
    awaitCutOff();
    double direct = metric(server, "jvm_buffer_memory_used_bytes{id=\"direct\"}");
    assertTrue(direct < BIG_BYTES, () -> "outside the heap: " + direct);
  }

  @Test
  void watchersOfThePastThatDoNotRead(@TempDir Path folder) throws Exception {
    // Each has a place of its own in the past, so what it is told is made for it alone; and it is
    // more than the system takes out of the server's hands.
    try (ServerProcess told = serve(folder, HUGE_BYTES)) {
      long since = version(put(told, "huge", "x".repeat(HUGE_BYTES)));
      String unused = put(told, "huge", "x".repeat(HUGE_BYTES));
      for (int i = 0; i < CLIENTS; i++) {
        HostileConnection watcher = HostileConnection.narrow(told.port());
        hostile.add(watcher);
        watcher.send("GET /v1/watch?since=" + since + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
      }
      for (HostileConnection watcher : hostile) {
        watcher.assertAnswered("200", SILENCE_MAX);
      }
      assertServesOthers(told);
      assertEquals("", told.err());
    }
  }

  @Test
  void watchersOfALogHoldNoMoreThanIsCounted(@TempDir Path folder) throws Exception {
    // What waits for each is so little that there is room for many. What comes after is not.
    try (ServerProcess told =
        ServerProcess.serveWithHeap(folder, "-Xmx64m", "--data-dir", folder.toString())) {
      long since = version(put(told, "stuck", "x"));
      String unused = put(told, "stuck", "x".repeat(STUCK_BYTES));
      for (int i = 0; i < 3; i++) {
        unused = put(told, "huge", "x".repeat(HUGE_BYTES));
      }
      double filesBefore = metric(told, OPEN_FILES);
      for (int i = 0; i < CLIENTS; i++) {
        HostileConnection watcher = HostileConnection.narrow(told.port());
        hostile.add(watcher);
        watcher.send("GET /v1/watch?since=" + since + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
      }
      for (HostileConnection watcher : hostile) {
        watcher.assertAnswered("200", SILENCE_MAX_DEFAULT);
      }
      for (int i = 0; i < 3; i++) {
        unused = put(told, "huge", "y".repeat(HUGE_BYTES));
        assertServesOthers(told);
      }
      assertTrue(told.isAlive(), "it lives");
      assertEquals("", told.err());
      // What those who do not read are told next stays in the log, and its files are closed.
      awaitFiles(told, filesBefore + CLIENTS + SPARE_FILES_OF_SERVER);
    }
  }

  private static void awaitFiles(ServerProcess server, double most) throws Exception {
    long deadlineNanos = System.nanoTime() + PATIENCE_NANOS;
    double files = metric(server, OPEN_FILES);
    while (files > most) {
      assertTrue(System.nanoTime() - deadlineNanos < 0, "kept for ever: " + files + " files");
      LockSupport.parkNanos(POLL_NANOS);
      files = metric(server, OPEN_FILES);
    }
  }

  @Test
  void whoReadsIsToldAllBesideWatchersThatDoNot() throws Exception {
    try (HostileConnection reader = watchAndReadTheHead("?prefix=told", 1).get(0)) {
      watchAndReadTheHead("");
      for (int i = 0; i < BIG_EVENTS; i++) {
        putBig();
        String value = "number-" + i + "-";
        String unused = put(server, "told", value);
        awaitText(reader, value);
      }
    }
    assertServesOthers(server);
    tellUntilTheyAreGone();
  }

  // That a client has gone is only found out by telling it something.
  private void tellUntilTheyAreGone() throws Exception {
    for (HostileConnection connection : hostile) {
      connection.close();
    }
    long deadlineNanos = System.nanoTime() + PATIENCE_NANOS;
    while (metric(server, IN_FLIGHT) > 1) {
      assertTrue(System.nanoTime() - deadlineNanos < 0, "kept for ever");
      String unused = put(server, "told", "gone");
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private void watchAndReadTheHead(String query) throws Exception {
    hostile.addAll(watchAndReadTheHead(query, CLIENTS));
  }

  private static List<HostileConnection> watchAndReadTheHead(String query, int count)
      throws Exception {
    List<HostileConnection> watchers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      HostileConnection watcher = HostileConnection.narrow(server.port());
      watchers.add(watcher);
      watcher.send("GET /v1/watch" + query + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (HostileConnection watcher : watchers) {
      watcher.assertAnswered("200", SILENCE_MAX);
    }
    return watchers;
  }

  private static void awaitText(HostileConnection reader, String text) throws Exception {
    StringBuilder all = new StringBuilder();
    while (all.indexOf(text) < 0) {
      String more = reader.read(MIB);
      assertTrue(!more.isEmpty(), () -> "cut off before " + text);
      all.append(more);
    }
  }

  @Test
  void pipelinedFloods() throws Exception {
    String request = "GET /get/beside HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (int i = 0; i < Depth.of(1, 16, 16); i++) {
      assertTakesLess(connect(), request.repeat(1000), 1000L * MIB);
    }
    assertServesOthers(server);
    awaitCutOff();
  }

  private static void putBig() throws Exception {
    String unused = put(server, "big", "x".repeat(BIG_BYTES));
  }

  private static String put(ServerProcess server, String key, String value) throws Exception {
    for (int attempt = 1; ; attempt++) {
      try (HostileConnection writer = new HostileConnection(server.port())) {
        String answer = writer.put(key, value);
        // On a busy machine even this client is silent for too long now and then, and cut off.
        if (!answer.isEmpty() || !writer.isOlderThan(SILENCE_MAX) || attempt == ATTEMPTS_MAX) {
          assertTrue(answer.matches("(?s)HTTP/1.1 20[14] .*"), "found \"" + answer + "\"");
          return answer;
        }
      }
    }
  }

  private static long version(String answer) {
    Matcher tag = Pattern.compile("ETag: \"(\\d+)\"").matcher(answer);
    assertTrue(tag.find(), answer);
    return Long.parseLong(tag.group(1));
  }

  private static double metric(ServerProcess server, String name) throws Exception {
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
