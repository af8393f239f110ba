package io.pensieve.server.cluster;

import io.pensieve.server.linearizability.Request;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The logs of nodes, which forget what a node that is away for long would need. */
final class ForgottenLog {
  private static final Pattern SEGMENT = Pattern.compile("log_(?:inprogress_)?(\\d+).*");
  private static final String FILLING = "x".repeat(64 << 10);
  private static final int KEYS = 4;
  private static final int LOOKS = 200;
  private static final int WRITES_A_LOOK = 16;

  private ForgottenLog() {}

  /** Writes until nobody has the entries any more that come after those of a node. */
  static void forgetWhatIsMissingAt(Node away, Cluster cluster) throws Exception {
    List<Node> others = cluster.nodes().stream().filter(each -> each != away).toList();
    long committed = Cluster.state(cluster.leader()).orElseThrow().get("commit_index").getAsLong();
    try (KeyClient client = new KeyClient()) {
      for (int look = 0; look < LOOKS; look++) {
        if (others.stream().allMatch(each -> firstIndex(each) > committed)) {
          deleteFilling(client, cluster.leader());
          return;
        }
        write(client, cluster.leader());
      }
    }
    throw new AssertionError("the log is not forgotten: " + cluster.report());
  }

  private static void write(KeyClient client, Node leader) {
    for (int i = 0; i < WRITES_A_LOOK; i++) {
      Request put = new Request.Put(FILLING, Request.ANY_VERSION, 0);
      try {
        var unused = client.ask(leader, "filling" + i % KEYS, put, "");
      } catch (IOException notConnected) {
        return; // who leads next gets the rest
      }
    }
  }

  private static void deleteFilling(KeyClient client, Node leader) throws IOException {
    for (int i = 0; i < KEYS; i++) {
      Request delete = new Request.Delete(Request.ANY_VERSION);
      var unused = client.ask(leader, "filling" + i, delete, "");
    }
  }

  /** The first entry that a node's log still has. */
  private static long firstIndex(Node node) {
    try (Stream<Path> files = Files.walk(node.data().resolve("raft"))) {
      return files
          .map(each -> SEGMENT.matcher(each.getFileName().toString()))
          .filter(Matcher::matches)
          .mapToLong(each -> Long.parseLong(each.group(1)))
          .min()
          .orElse(0);
    } catch (IOException | UncheckedIOException changing) {
      return 0;
    }
  }
}
