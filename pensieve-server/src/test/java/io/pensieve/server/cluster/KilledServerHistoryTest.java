package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import io.pensieve.testing.Ports;
import io.pensieve.testing.Seed;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One server, killed again and again: the history of each key has an order. */
@Tag(Depth.TAG)
final class KilledServerHistoryTest {
  private static final int CLIENTS = 8;
  private static final int KILLS = Depth.of(1, 3, 200);
  private static final int WRITES_BETWEEN_KILLS = Depth.of(150, 300, 300);
  private static final long SEED = Seed.choose();

  private final Path folder;

  KilledServerHistoryTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @ParameterizedTest
  @ValueSource(strings = {"power-cut", "process-death"})
  void whatClientsSeeOfAServerThatIsKilledHasAnOrder(String durability) throws Exception {
    List<String> arguments = List.of("--durability", durability, "--capacity", "10000");
    InetSocketAddress own = new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.take());
    try (Node node = new Node(1, own, folder, List.of(), arguments)) {
      Histories histories = new Histories();
      node.start().awaitListening();
      try (Workload workload = new Workload(List.of(node), histories, "g", CLIENTS, true, SEED)) {
        for (int kill = 0; kill < KILLS; kill++) {
          workload.awaitAcknowledged(WRITES_BETWEEN_KILLS);
          node.kill();
          node.start().awaitListening();
        }
        workload.awaitAcknowledged(WRITES_BETWEEN_KILLS);
        workload.stop();
      }
      FinalReads.read(List.of(node), histories);
      System.out.println(
          durability
              + ": "
              + histories.size()
              + " operations, "
              + histories.unknown()
              + " unknown");
      histories.assertLinearizable("seed " + SEED + ", " + durability);
      assertTrue(histories.size() > KILLS * WRITES_BETWEEN_KILLS);
    }
  }
}
