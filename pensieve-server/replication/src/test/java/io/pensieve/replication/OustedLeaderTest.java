package io.pensieve.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.PendingWrite;
import io.pensieve.log.LogException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A leader that does not know yet that another one has taken over. */
class OustedLeaderTest {
  private final SimulatedLog log = new SimulatedLog();
  private final SimulatedMember old;
  private final SimulatedMember next;

  OustedLeaderTest(@TempDir Path folder) {
    old = new SimulatedMember(0, log, folder, null, 100, InstantSource.system(), () -> 0);
    next = new SimulatedMember(1, log, folder, null, 100, InstantSource.system(), () -> 0);
  }

  private void work(SimulatedMember member) {
    for (int i = 0; i < 3; i++) {
      member.pack();
      while (member.proposals() > 0) {
        member.takeProposal(0, true, false);
      }
      while (!log.tail.isEmpty()) {
        log.commit();
      }
      while (member.hasMore()) {
        member.applyNext();
      }
      member.passBarriers();
    }
  }

  private void lead(SimulatedMember member) {
    log.elect(member.id, log.tail.size());
    work(member);
    assertTrue(member.log.isLeading());
  }

  private static void assertUnknown(PendingWrite<String> write) {
    CompletionException failed =
        assertThrows(CompletionException.class, () -> write.durable().join());
    assertTrue(failed.getCause() instanceof LogException.OutcomeUnknown, failed.toString());
  }

  @Test
  void doesNotSayThatAKeyIsAbsentWhichTheNextOneHasPut() {
    lead(old);
    lead(next);
    next.map.putAsync("a", "b");
    work(next);
    PendingWrite<String> removal = old.map.removeAsync("a");
    assertFalse(removal.applied());
    old.passBarriers();
    assertFalse(removal.durable().isDone());
    old.follow();
    work(old);
    assertUnknown(removal);
    assertEquals("b", old.map.get("a"));
  }

  @Test
  void saysWhatItFoundIfItStillLeads() {
    lead(old);
    PendingWrite<String> removal = old.map.removeAsync("a");
    old.passBarriers();
    removal.await();
    assertFalse(removal.applied());
  }

  @Test
  void acknowledgesNothing() {
    lead(old);
    lead(next);
    PendingWrite<String> put = old.map.putAsync("a", "lost");
    old.pack();
    old.takeProposal(0, true, false);
    assertFalse(put.durable().isDone());
    old.follow();
    assertUnknown(put);
    assertNull(old.map.get("a"));
  }
}
