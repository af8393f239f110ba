package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Nobody gets more than there is, and what is given back can be had again. */
final class HeapRoomTest {
  private static final StoredValue VALUE = StoredValue.text("v".repeat(10_000));

  private final HeapRoom room = new HeapRoom(60_000);

  @Test
  void jsonOfALongValueTakesRoomWhileItIsMade() {
    AtomicLong taken = new AtomicLong();
    room.makeJsonOf(
        VALUE,
        () -> {
          taken.set(room.bytesTaken());
          Refusal refused =
              assertThrows(Refusal.class, () -> room.makeJsonOf(VALUE, () -> taken.set(-1)));
          assertEquals(Problem.TOO_MANY_REQUESTS, refused.problem());
        });
    assertEquals(50_000, taken.get());
    assertEquals(0, room.bytesTaken());
  }

  @Test
  void whoIsAloneHasAllTheRoomHeNeeds() {
    StoredValue large = StoredValue.text("v".repeat(20_000));
    AtomicLong taken = new AtomicLong();
    room.makeJsonOf(large, () -> taken.set(room.bytesTaken()));
    assertEquals(100_000, taken.get());
    room.makeJsonOf(
        VALUE,
        () -> assertThrows(Refusal.class, () -> room.makeJsonOf(large, () -> taken.set(-1))));
    assertEquals(100_000, taken.get());
  }

  @Test
  void whatFailsGivesItsRoomBack() {
    Runnable failing =
        () -> {
          throw new IllegalStateException("as the test wants it");
        };
    assertThrows(IllegalStateException.class, () -> room.makeJsonOf(VALUE, failing));
    assertEquals(0, room.bytesTaken());
  }

  @Test
  void jsonOfAShortValueIsNotCounted() {
    room.makeJsonOf(StoredValue.text("short"), () -> assertEquals(0, room.bytesTaken()));
  }
}
