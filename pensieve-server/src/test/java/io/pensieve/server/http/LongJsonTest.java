package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.protocol.MemoryBudget;
import org.junit.jupiter.api.Test;

/**
 * Which thread parses a body of JSON: a long one would keep all clients of an I/O thread waiting.
 */
final class LongJsonTest {
  private static final int LONG = 64 << 10;

  @Test
  void aLongBodyIsParsedByAWorkerAndAShortOneByItsIoThread() throws Exception {
    BrokenLog log = new BrokenLog();
    try (ServerUnderTest server =
        new ServerUnderTest(log, ServerUnderTest.settings(), Cluster.alone(1))) {
      server.put("k", "short");
      assertTrue(log.writer.contains("I/O"), log.writer);
      String value = "v".repeat(LONG);
      server.put("k", value);
      assertTrue(log.writer.contains("task"), log.writer);
      assertEquals(value, server.get("k"));
      String toAnIoThread = "v".repeat(LONG - 100);
      server.put("k", toAnIoThread);
      assertTrue(log.writer.contains("I/O"), log.writer);
      assertEquals(toAnIoThread, server.get("k"));
      refused(server, "{\"key\":\"" + value + "\",\"val\":\"v\"}", 413);
      refused(server, "{\"key\":\"k\",\"val\":\"" + value + "\"", 400);
      refused(server, "{\"key\":\"k\",\"val\":\"" + value + "\"}\0", 400);
      assertEquals(toAnIoThread, server.get("k"));
      Await.until("nothing is held", () -> MemoryBudget.OF_PROCESS.bytesReserved() == 0);
      assertEquals(0, server.http.requestsAdmitted());
    }
  }

  private static void refused(ServerUnderTest server, String json, int status) throws Exception {
    assertEquals(status, server.post("/put", json).statusCode());
  }
}
