package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.Depth;
import io.pensieve.server.Seed;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three nodes to which things happen while clients work at all of them: the history of each key has
 * an order, what was acknowledged is there at the end, and all nodes hold the same.
 */
@Tag(Depth.TAG)
final class ClusterHistoryTest {
  private static final int CLIENTS = 8;
  private static final int FAULTS_OF_PROCESSES = Depth.of(2, 21, 400);
  private static final int FAULTS_OF_NETWORKS = Depth.of(1, 12, 200);
  private static final int FAULTS_A_ROUND = 8;
  private static final int WRITES_BETWEEN_FAULTS = 100;
  private static final int WRITES_DURING_FAULT = 50;
  private static final int QUICK_SEED = 13; // so that a build does not find what another did not
  private static final long SEED =
      Depth.of(1, 0, 0) > 0 && System.getProperty("pensieve.seed", "").isEmpty()
          ? QUICK_SEED
          : Seed.choose();

  private final Path folder;
  private final Random random = new Random(SEED);

  ClusterHistoryTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void nodesMayDieAndPauseAtAnyTime() throws Exception {
    try (Cluster cluster = Cluster.onLoopback(folder)) {
      cluster.start();
      strike(cluster, Fault.OF_PROCESSES, FAULTS_OF_PROCESSES);
    }
  }

  @Test
  @SuppressWarnings("try") // closing may be interrupted, as the test itself
  void nodesMayBeCutOffFromOneAnother() throws Exception {
    Optional<Network> network = Network.create(3);
    Assumptions.assumeTrue(
        network.isPresent(), "skipped: network namespaces need Linux, root and the program ip");
    try (Network hosts = network.orElseThrow();
        Cluster cluster = Cluster.on(hosts, folder)) {
      cluster.start();
      strike(cluster, Fault.OF_NETWORKS, FAULTS_OF_NETWORKS);
    }
  }

  /** Each of these in turn, and then at random, so many in all. */
  private void strike(Cluster cluster, List<Fault> faults, int count) throws Exception {
    for (int done = 0; done < count; ) {
      int round = Math.min(FAULTS_A_ROUND, count - done);
      strikeAndCheck(cluster, faults, done, round);
      done += round;
    }
  }

  private void strikeAndCheck(Cluster cluster, List<Fault> faults, int first, int count)
      throws Exception {
    Histories histories = new Histories();
    String name = "r" + first + "-";
    StringBuilder done = new StringBuilder("seed " + SEED + ", faults:");
    try (Workload workload =
        new Workload(cluster.nodes(), histories, name, CLIENTS, random.nextLong())) {
      for (int i = first; i < first + count; i++) {
        int next = i < faults.size() ? i : random.nextInt(faults.size());
        Fault fault = faults.get(next);
        done.append(' ').append(fault);
        workload.awaitAcknowledged(WRITES_BETWEEN_FAULTS);
        Fault.Repair repair = fault.strike(cluster, random);
        workload.awaitAcknowledged(WRITES_DURING_FAULT);
        repair.run();
      }
      workload.awaitAcknowledged(WRITES_BETWEEN_FAULTS);
      workload.stop();
    } catch (AssertionError failed) {
      throw new AssertionError(done + "\n" + cluster.report(), failed);
    }
    cluster.awaitReady();
    FinalReads.read(cluster.nodes(), histories);
    System.out.println(
        done + ": " + histories.size() + " operations, " + histories.unknown() + " unknown");
    histories.assertLinearizable(done.toString());
    assertTrue(cluster.awaitEqual() > 0, "there are entries at the end");
  }
}
