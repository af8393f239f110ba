package io.pensieve.server.http.changes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.json.LazyBytes;
import io.pensieve.server.http.protocol.MemoryBudget;
import org.junit.jupiter.api.Test;

/** What waits for those who watch takes its room once, and gives it back. */
final class SharedEventBytesTest {
  private final MemoryBudget budget = new MemoryBudget(100);

  @Test
  void takesRoomOnceForAllWhoHoldIt() {
    SharedEventBytes event = SharedEventBytes.in(budget, LazyBytes.of(new byte[60]));
    assertTrue(event.retain());
    assertTrue(event.retain());
    assertEquals(60, budget.bytesReserved());
    event.release();
    assertEquals(60, budget.bytesReserved());
    event.release();
    assertEquals(0, budget.bytesReserved());
    assertTrue(event.retain());
    assertEquals(60, budget.bytesReserved());
  }

  @Test
  void isNotHeldWhereThereIsNoRoom() {
    SharedEventBytes first = SharedEventBytes.in(budget, LazyBytes.of(new byte[60]));
    SharedEventBytes second = SharedEventBytes.in(budget, LazyBytes.of(new byte[60]));
    assertTrue(first.retain());
    assertFalse(second.retain());
    assertEquals(60, budget.bytesReserved());
    first.release();
    assertTrue(second.retain());
    assertEquals(60, budget.bytesReserved());
  }

  @Test
  void isHeldHoweverLongItIsIfItIsAlone() {
    SharedEventBytes event = SharedEventBytes.in(budget, LazyBytes.of(new byte[600]));
    assertTrue(event.retain());
    event.release();
    assertEquals(0, budget.bytesReserved());
  }
}
