package io.pensieve.replication;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many simulated clusters, each by another seed. */
@Tag(Depth.TAG)
class SimulationTest {
  private static final int STEPS = 2_000;

  @Test
  void allMembersAgreeWhateverHappens(@TempDir Path folder) throws IOException {
    int runs = Depth.of(60, 1_000, 50_000);
    long first = Seed.choose();
    int acknowledged = 0;
    int unknown = 0;
    int reads = 0;
    int snapshots = 0;
    for (long seed = first; seed < first + runs; seed++) {
      Simulation simulation = new Simulation(seed, folder);
      try {
        simulation.run(STEPS);
      } catch (AssertionError | RuntimeException failed) {
        throw new AssertionError("-Dpensieve.seed=" + seed, failed);
      }
      acknowledged += simulation.acknowledgedWrites;
      unknown += simulation.unknownOutcomes;
      reads += simulation.linearizableReads;
      snapshots += simulation.snapshots;
    }
    System.out.println(
        acknowledged + " writes, " + unknown + " unknown, " + reads + " reads, " + snapshots);
    assertTrue(acknowledged > runs && unknown > runs && reads > runs && snapshots > runs);
  }
}
