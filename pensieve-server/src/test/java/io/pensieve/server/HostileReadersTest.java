package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.transport.ConnectionLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients who ask for much, and do not read it. */
final class HostileReadersTest extends HostileClientScene {
  private static final int BIG_EVENTS = 20; // more than a connection's buffers take
  private static final int HUGE_BYTES = 4 << 20;
  private static final int STUCK_BYTES = 256 << 10;
  private static final Duration SILENCE_MAX_DEFAULT = ConnectionLimits.defaults().silenceMax();

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
    List<HostileConnection> watchers = watchAndReadTheHead(server, "", 1, SILENCE_MAX);
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
      readAtLeast(reader, BIG_BYTES);
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
      hostile.addAll(watchAndReadTheHead(told, "?since=" + since, CLIENTS, SILENCE_MAX));
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
      hostile.addAll(watchAndReadTheHead(told, "?since=" + since, CLIENTS, SILENCE_MAX_DEFAULT));
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
    try (HostileConnection reader =
        watchAndReadTheHead(server, "?prefix=told", 1, SILENCE_MAX).get(0)) {
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
    hostile.addAll(watchAndReadTheHead(server, query, CLIENTS, SILENCE_MAX));
  }

  private static List<HostileConnection> watchAndReadTheHead(
      ServerProcess server, String query, int count, Duration silenceMax) throws Exception {
    List<HostileConnection> watchers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      HostileConnection watcher = HostileConnection.narrow(server.port());
      watchers.add(watcher);
      watcher.send("GET /v1/watch" + query + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (HostileConnection watcher : watchers) {
      watcher.assertAnswered("200", silenceMax);
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
}
