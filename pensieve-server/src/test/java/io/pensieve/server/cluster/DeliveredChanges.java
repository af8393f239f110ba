package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.linearizability.Answer;
import io.pensieve.server.linearizability.Request;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** All changes from one moment to another, as each node delivers them: the order of writes. */
final class DeliveredChanges {
  private static final int SILENCE_MILLIS_MAX = 60_000;
  private static final long POLL_NANOS = 20_000_000;
  private static final int HTTP_GONE = 410;
  private static final String ID = "id: ";

  private final List<Node> nodes;
  private final long since;

  private DeliveredChanges(List<Node> nodes, long since) {
    this.nodes = nodes;
    this.since = since;
  }

  /** Those from now on. */
  static DeliveredChanges since(Cluster cluster) throws Exception {
    return new DeliveredChanges(cluster.nodes(), mark(cluster.nodes()));
  }

  private static long mark(List<Node> nodes) throws IOException {
    Request put = new Request.Put("", Request.ANY_VERSION, 0);
    long deadlineNanos = System.nanoTime() + Cluster.PATIENCE.toNanos();
    try (KeyClient client = new KeyClient()) {
      while (System.nanoTime() - deadlineNanos < 0) {
        for (Node node : nodes) {
          try {
            Optional<Answer> answer = client.ask(node, "mark", put, "");
            if (answer.isPresent() && answer.get() instanceof Answer.Written written) {
              return written.version();
            }
          } catch (IOException notConnected) {
            // The next one may be.
          }
        }
        LockSupport.parkNanos(POLL_NANOS);
      }
    }
    throw new AssertionError("nobody takes a write");
  }

  /**
   * Fails unless all nodes that still know them deliver the same changes in the same order. Those
   * that have started meanwhile say that they do not know.
   *
   * @return how many nodes know them
   */
  int assertEqual() throws IOException {
    long last = mark(nodes);
    List<List<String>> delivered = new ArrayList<>();
    for (Node node : nodes) {
      deliver(node, last).ifPresent(delivered::add);
    }
    for (List<String> each : delivered) {
      assertEquals(delivered.get(0), each, "the order of writes");
      assertTrue(each.size() > 1, "there are changes");
    }
    return delivered.size();
  }

  /** The versions and the changes, in their order. */
  private Optional<List<String>> deliver(Node node, long last) throws IOException {
    URI url = URI.create(node.url() + "/v1/watch?since=" + since);
    HttpURLConnection connection = (HttpURLConnection) url.toURL().openConnection();
    connection.setReadTimeout(SILENCE_MILLIS_MAX);
    try {
      if (connection.getResponseCode() == HTTP_GONE) {
        return Optional.empty();
      }
      List<String> lines = new ArrayList<>();
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8));
      boolean isLast = false;
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (isLast && line.isEmpty()) {
          return Optional.of(lines);
        }
        isLast |= line.equals(ID + last);
        if (line.startsWith("data: ")) {
          lines.add(line);
        }
      }
      throw new IOException(node + " ends a stream after " + lines.size());
    } finally {
      connection.disconnect();
    }
  }
}
