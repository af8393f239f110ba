package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.StateMachine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What an operator reads, however often the engine says it. */
final class EngineEventsTest {
  private static final String NO_LEADER =
      "no leader for 10 s: do a majority of the members run, and reach one another?";

  private final List<String> lines = new ArrayList<>();
  private final EngineEvents events = new EngineEvents(lines::add, new NoMachine());

  @Test
  void aClusterWithoutALeaderIsReportedOnce() {
    events.noLeader();
    events.noLeader();
    assertEquals(List.of(NO_LEADER), lines);
    events.leaderIs("2");
    events.leaderIs("2");
    events.noLeader();
    events.leaderIs("2");
    assertEquals(List.of(NO_LEADER, "node 2 leads", NO_LEADER, "node 2 leads"), lines);
  }

  @Test
  void eachSilentFollowerIsReportedOnce() {
    events.slow("2");
    events.slow("3");
    events.slow("2");
    events.slow("3");
    assertEquals(
        List.of("node 2 has not answered for 10 s", "node 3 has not answered for 10 s"), lines);
  }

  @Test
  void strangersWithoutEndCauseFewLines() {
    for (int i = 0; i < 100; i++) {
      events.refused("a peer", "reason " + i);
    }
    assertEquals("no connection with a peer: reason 0", lines.get(0));
    assertEquals(64, lines.size());
  }

  private static final class NoMachine implements StateMachine {
    @Override
    public void apply(LogPosition position, byte[] entry) {}

    @Override
    public void lead(long term) {}

    @Override
    public void follow() {}

    @Override
    public void restore(LogPosition position, Path snapshot) {}

    @Override
    public void fail(Throwable cause) {}
  }
}
