package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.protocol.MemoryBudget;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

/** Nobody gets more than there is, and what is given back can be had again. */
final class MemoryBudgetTest {
  private static final int VALUE_BYTES = 12 << 20; // more than sockets take out of our hands
  private static final int READERS = 8;

  private final MemoryBudget budget = new MemoryBudget(100);

  @Test
  void whoFindsNoRoomGetsNone() {
    assertTrue(budget.tryReserve(60, 0));
    assertFalse(budget.tryReserve(60, 0));
    assertEquals(60, budget.bytesReserved());
    budget.releaseBytes(60);
    assertTrue(budget.tryReserve(60, 0));
  }

  @Test
  void whoIsAloneHasAllTheRoomHeNeeds() {
    assertTrue(budget.tryReserve(60, 0));
    assertTrue(budget.tryReserve(600, 60));
    assertFalse(budget.tryReserve(1, 0));
  }

  @Test
  void aValueIsCountedOnceHoweverManyAnswersHoldItAndAlsoWhenItIsOverwritten() throws Exception {
    try (ServerUnderTest server = ServerUnderTest.start()) {
      putLong(server, "a");
      RawClient[] readers = new RawClient[READERS];
      for (int i = 0; i < READERS; i++) {
        readers[i] = server.connect();
        String asJson = i % 2 == 0 ? "" : "?as=json";
        readers[i].send("GET /v1/kv/long" + asJson + " HTTP/1.1\r\nHost: test\r\n\r\n");
      }
      awaitTaken(VALUE_BYTES);
      putLong(server, "b");
      readers[0].send("GET /v1/kv/long HTTP/1.1\r\nHost: test\r\n\r\n"); // pipelined: not begun yet
      awaitTaken(VALUE_BYTES);
      for (RawClient reader : readers) {
        reader.close();
      }
      awaitTaken(0);
    }
  }

  private static void putLong(ServerUnderTest server, String letter) throws Exception {
    HttpResponse<String> put =
        server.send(
            server.request("/v1/kv/long").PUT(BodyPublishers.ofString(letter.repeat(VALUE_BYTES))));
    assertTrue(put.statusCode() / 100 == 2, () -> put.statusCode() + " " + put.body());
  }

  private static void awaitTaken(long bytes) throws Exception {
    Await.until("taken: " + bytes, () -> MemoryBudget.OF_PROCESS.bytesReserved() == bytes);
  }
}
