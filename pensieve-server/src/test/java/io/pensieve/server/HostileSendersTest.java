package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.UnixOperatingSystemMXBean;
import io.pensieve.testing.Depth;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients who send too much, too little, or never the rest. */
@Tag(Depth.TAG)
final class HostileSendersTest extends HostileClientScene {
  private static final int FLOODS = Depth.of(10, 60, 200);
  private static final int IDLE_CONNECTIONS = Depth.of(1_000, 10_000, 10_000);
  private static final int IDLE_CONNECTIONS_MAX = 10_240; // as many as its heap allows
  private static final int SPARE_FILES = 1_000;
  private static final String CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
  private static final int BODY_BYTES_MAX = 3 * (BIG_BYTES + 1024) + 1024;
  private static final String PUT =
      "POST /put HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  private static final String CHUNK = "10000\r\n" + "x".repeat(64 << 10) + "\r\n";

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
  void pipelinedFloods() throws Exception {
    String request = "GET /get/beside HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (int i = 0; i < Depth.of(1, 16, 16); i++) {
      assertTakesLess(connect(), request.repeat(1000), 1000L * MIB);
    }
    assertServesOthers(server);
    awaitCutOff();
  }
}
