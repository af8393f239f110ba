package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** Nobody gets more than there is, and what is given back can be had again. */
final class HeapRoomTest {
  private static final StoredValue VALUE = StoredValue.text("v".repeat(10_000));

  @Test
  void jsonOfALongValueTakesRoomWhileItIsMade() {
    HeapRoom room = new HeapRoom(60_000);
    try (HeapRoom.Claim claim = room.claimForJsonOf(VALUE)) {
      assertEquals(50_000, room.bytesTaken());
      Refusal refused = assertThrows(Refusal.class, () -> claim.atLeast(60_001));
      assertEquals(Problem.TOO_MANY_REQUESTS, refused.problem());
      assertThrows(Refusal.class, () -> room.claimForJsonOf(VALUE));
      assertEquals(50_000, room.bytesTaken());
      claim.atLeast(60_000);
      claim.atLeast(1);
      assertEquals(60_000, room.bytesTaken());
      claim.close();
    }
    assertEquals(0, room.bytesTaken());
  }

  @Test
  void jsonOfAShortValueIsNotCounted() {
    HeapRoom room = new HeapRoom(1);
    try (HeapRoom.Claim claim = room.claimForJsonOf(StoredValue.text("short"))) {
      assertEquals(0, room.bytesTaken());
    }
  }
}
