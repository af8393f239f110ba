package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Nobody gets more than there is, and what is given back can be had again. */
final class HeapRoomTest {
  private static final StoredValue VALUE = StoredValue.text("v".repeat(10_000));

  private final HeapRoom room = new HeapRoom(60_000);

  @Test
  void jsonOfALongValueTakesRoomWhileItIsMade() {
    assertEquals(50_000, takenByMaking(VALUE));
    assertEquals(0, room.bytesTaken());
  }

  @Test
  void whoFindsNoRoomIsRefused() {
    byte[] made = room.makeJsonOf(VALUE, () -> refusedJsonOf(VALUE));
    assertEquals(0, made.length);
    assertEquals(0, room.bytesTaken());
  }

  @Test
  void whoIsAloneHasAllTheRoomHeNeeds() {
    StoredValue large = StoredValue.text("v".repeat(20_000));
    assertEquals(100_000, takenByMaking(large));
    byte[] made = room.makeJsonOf(VALUE, () -> refusedJsonOf(large));
    assertEquals(0, made.length);
  }

  @Test
  void whatFailsGivesItsRoomBack() {
    Supplier<byte[]> failing =
        () -> {
          throw new IllegalStateException("as the test wants it");
        };
    assertThrows(IllegalStateException.class, () -> room.makeJsonOf(VALUE, failing));
    assertEquals(0, room.bytesTaken());
  }

  @Test
  void jsonOfAShortValueIsNotCounted() {
    assertEquals(0, takenByMaking(StoredValue.text("short")));
  }

  private long takenByMaking(StoredValue value) {
    AtomicLong taken = new AtomicLong();
    byte[] made =
        room.makeJsonOf(
            value,
            () -> {
              taken.set(room.bytesTaken());
              return new byte[1];
            });
    assertEquals(1, made.length);
    return taken.get();
  }

  private byte[] refusedJsonOf(StoredValue value) {
    Refusal refused = assertThrows(Refusal.class, () -> room.makeJsonOf(value, () -> new byte[1]));
    assertEquals(Problem.TOO_MANY_REQUESTS, refused.problem());
    return new byte[0];
  }
}
