package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What whoever runs the process reads of a log: a line where something is wrong, and no other. */
@Timeout(120)
class OperatorLogTest {
  private final SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);

  private static Change<String, String> put(String key) {
    return new Change.Put<>(key, "v", Change.NEVER);
  }

  private static void assertLine(String line, String... parts) {
    for (String part : parts) {
      assertTrue(line.contains(part), () -> part + " is not in: " + line);
    }
  }

  @Test
  void aFailureIsALineWithItsReasonWhenEverybodyIsReleased() throws InterruptedException {
    log.open();
    CompletableFuture<Void> waiting = log.log().whenDurable(log.append(put("a")).sequence());
    log.operator.refuse(1); // by the thread that fails
    log.disk.failAfter(1, true); // the force
    for (int i = 0; i < 3; i++) {
      log.step();
    }
    assertTrue(waiting.isCompletedExceptionally());
    assertEquals(List.of(), log.operator.lines());
    assertThrows(LogException.Failed.class, log::close);
    assertTrue(log.operator.awaitLine(), "it is tried again");
    assertEquals(1, log.operator.lines().size(), () -> log.operator.lines() + "");
    assertLine(log.operator.lines().get(0), "ERROR ", "takes no more writes", "operation");
  }

  @Test
  void aCompactionThatBacksOffIsALineWithItsReasonAndTheTime() {
    log.open();
    log.append(put("a"));
    log.settle();
    for (int failures = 1; failures <= 3; failures++) {
      CompletableFuture<Void> failed = log.requestCompaction();
      log.disk.failAfter(0, true, DiskFault.NO_PERMISSION);
      while (!failed.isDone()) {
        log.compactStep();
      }
      log.disk.heal();
    }
    List<String> lines = log.operator.lines();
    assertEquals(3, lines.size(), lines::toString);
    assertLine(lines.get(0), "WARNING log: ", "waits for 1 s: ", "AccessDenied");
    assertLine(lines.get(2), "waits for 4 s: ");
    log.compact();
    log.close();
    assertEquals(3, lines.size(), lines::toString);
  }
}
