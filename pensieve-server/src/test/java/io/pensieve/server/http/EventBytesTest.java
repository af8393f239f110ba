package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What waits for those who watch takes its room once, and gives it back. */
final class EventBytesTest {
  private final HeapRoom room = new HeapRoom(100);

  @Test
  void takesRoomOnceForAllWhoHoldIt() {
    EventBytes event = EventBytes.in(room, Pieces.of(new byte[60]));
    assertTrue(event.hold());
    assertTrue(event.hold());
    assertEquals(60, room.bytesTaken());
    event.letGo();
    assertEquals(60, room.bytesTaken());
    event.letGo();
    assertEquals(0, room.bytesTaken());
    assertTrue(event.hold());
    assertEquals(60, room.bytesTaken());
  }

  @Test
  void isNotHeldWhereThereIsNoRoom() {
    EventBytes first = EventBytes.in(room, Pieces.of(new byte[60]));
    EventBytes second = EventBytes.in(room, Pieces.of(new byte[60]));
    assertTrue(first.hold());
    assertFalse(second.hold());
    assertEquals(60, room.bytesTaken());
    first.letGo();
    assertTrue(second.hold());
    assertEquals(60, room.bytesTaken());
  }

  @Test
  void isHeldHoweverLongItIsIfItIsAlone() {
    EventBytes event = EventBytes.in(room, Pieces.of(new byte[600]));
    assertTrue(event.hold());
    event.letGo();
    assertEquals(0, room.bytesTaken());
  }
}
