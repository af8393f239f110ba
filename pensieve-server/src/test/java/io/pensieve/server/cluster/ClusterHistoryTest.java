package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
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
  private static final int FAULTS_OF_PROCESSES = Depth.of(0, 11, 400); // each once
  private static final int FAULTS_OF_NETWORKS = Depth.of(0, 5, 200);
  private static final int FAULTS_OF_MACHINES = Depth.of(0, 4, 100);
  private static final int FAULTS_A_ROUND = 8;
  private static final int WRITES_BETWEEN_FAULTS = 100;
  private static final int WRITES_DURING_FAULT = 50;
  private static final int QUICK_SEED = 13; // so that a build does not find what another did not
  private static final boolean IS_QUICK = Depth.of(1, 0, 0) > 0;
  private static final long SEED = IS_QUICK && !Seed.isGiven() ? QUICK_SEED : Seed.choose();

  // -Dpensieve.faults=LEADER_STOPPED,EACH_RESTARTED takes only these, -Dpensieve.faultCount=50 so
  // many.
  private static final String CHOSEN = System.getProperty("pensieve.faults", "");
  private static final int COUNT = Integer.getInteger("pensieve.faultCount", -1);

  private final Path folder;
  private final Random random = new Random(SEED);
  private final Pauses pauses = new Pauses();
  private final Map<Fault, Integer> struck = new EnumMap<>(Fault.class);

  ClusterHistoryTest(@TempDir Path folder) {
    this.folder = folder;
  }

  /** In each build: one cluster is started, and struck by a fault of each kind. */
  @Test
  @SuppressWarnings("try") // closing may be interrupted, as the test itself
  void aLeaderMayBeCutOffAndDie() throws Exception {
    Assumptions.assumeTrue(IS_QUICK && CHOSEN.isEmpty() && COUNT < 0, "skipped: there is more");
    Optional<Network> network = Network.create(3);
    if (network.isEmpty()) {
      try (Cluster cluster = Cluster.onLoopback(folder)) {
        strike(cluster, List.of(Fault.LEADER_KILLED), 1, true);
      }
      return;
    }
    try (Network hosts = network.orElseThrow();
        Cluster cluster = Cluster.on(hosts, folder)) {
      strike(cluster, List.of(Fault.LEADER_ISOLATED, Fault.LEADER_KILLED), 2, true);
    }
  }

  private static void requireFaults(int byDefault) {
    Assumptions.assumeTrue(count(byDefault) > 0, "skipped: not in each build");
  }

  private static int count(int byDefault) {
    return COUNT >= 0 ? COUNT : CHOSEN.isEmpty() ? byDefault : Math.max(1, byDefault);
  }

  @Test
  void nodesMayDieAndPauseAtAnyTime() throws Exception {
    requireFaults(FAULTS_OF_PROCESSES);
    try (Cluster cluster = Cluster.onLoopback(folder)) {
      strike(cluster, Fault.OF_PROCESSES, FAULTS_OF_PROCESSES, true);
    }
  }

  @Test
  @SuppressWarnings("try") // closing may be interrupted, as the test itself
  void nodesMayBeCutOffFromOneAnother() throws Exception {
    requireFaults(FAULTS_OF_NETWORKS);
    Optional<Network> network = Network.create(3);
    Assumptions.assumeTrue(
        network.isPresent(), "skipped: network namespaces need Linux, root and the program ip");
    try (Network hosts = network.orElseThrow();
        Cluster cluster = Cluster.on(hosts, folder)) {
      strike(cluster, Fault.OF_NETWORKS, FAULTS_OF_NETWORKS, true);
    }
  }

  /** No entry has a time to live here: each node compares that with its own clock. */
  @Test
  void machinesMayBeSlowAndFullAndOutOfTime() throws Exception {
    requireFaults(FAULTS_OF_MACHINES);
    try (Cluster cluster = Cluster.onLoopback(folder)) {
      List<Fault> faults = new ArrayList<>();
      if (cluster.mountDisks()) {
        faults.addAll(Fault.OF_DISKS);
      }
      if (cluster.giveMachines(folder)) {
        faults.addAll(Fault.OF_MACHINES);
      }
      System.out.println("faults of machines that can be made here: " + faults);
      strike(cluster, faults, FAULTS_OF_MACHINES, false);
    }
  }

  private static List<Fault> chosenOf(List<Fault> all) {
    List<String> names = List.of(CHOSEN.split(","));
    return CHOSEN.isEmpty()
        ? all
        : all.stream().filter(each -> names.contains(each.name())).toList();
  }

  /** Each of these in turn, and then at random, so many in all. */
  private void strike(Cluster cluster, List<Fault> all, int byDefault, boolean withExpiry)
      throws Exception {
    List<Fault> faults = chosenOf(all);
    int count = count(byDefault);
    Assumptions.assumeFalse(faults.isEmpty(), "none of them was chosen");
    cluster.start();
    for (int done = 0; done < count; ) {
      int round = Math.min(FAULTS_A_ROUND, count - done);
      strikeAndCheck(cluster, faults, done, round, withExpiry);
      done += round;
    }
  }

  private void strikeAndCheck(
      Cluster cluster, List<Fault> faults, int first, int count, boolean withExpiry)
      throws Exception {
    try (DeliveredChanges changes = DeliveredChanges.since(cluster)) {
      strikeAndCheck(cluster, changes, faults, first, count, withExpiry);
    }
  }

  private void strikeAndCheck(
      Cluster cluster,
      DeliveredChanges changes,
      List<Fault> faults,
      int first,
      int count,
      boolean withExpiry)
      throws Exception {
    Histories histories = new Histories();
    String name = "r" + first + "-";
    StringBuilder done = new StringBuilder("seed " + SEED + ", faults:");
    try (Workload workload =
        new Workload(cluster.nodes(), histories, name, CLIENTS, withExpiry, random.nextLong())) {
      for (int i = first; i < first + count; i++) {
        int next = i < faults.size() ? i : random.nextInt(faults.size());
        Fault fault = faults.get(next);
        done.append(' ').append(fault);
        workload.awaitAcknowledged(WRITES_BETWEEN_FAULTS);
        long struckNanos = System.nanoTime();
        Fault.Repair repair = fault.strike(cluster, random);
        workload.awaitAcknowledged(1);
        pauses.add(fault, System.nanoTime() - struckNanos);
        workload.awaitAcknowledged(WRITES_DURING_FAULT);
        repair.run();
        struck.merge(fault, 1, Integer::sum);
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
    int several = changes.assertOneOrder();
    System.out.println(pauses);
    System.out.println(
        "order of writes: " + several + " changes compared between nodes; so far " + struck);
    assertTrue(cluster.awaitEqual() > 0, "there are entries at the end");
  }
}
