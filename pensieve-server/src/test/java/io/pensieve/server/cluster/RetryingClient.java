package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.cluster.HttpConnection.Response;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes by all nodes in turn. A write that gets no answer, or is refused, is sent again, to
 * another node. Then it must succeed. A node to which it cannot connect was not sent anything.
 */
final class RetryingClient implements AutoCloseable {
  private static final int SILENCE_MILLIS_MAX = 20_000;
  private static final long PAUSE_NANOS = 10_000_000;
  private static final int REPETITIONS = 3;
  private static final long RETRY_NANOS = 1_000_000_000; // as the servers ask for

  private final List<Node> nodes;
  private final Thread thread = new Thread(this::run, "retrying client");
  private final List<String> lost = new ArrayList<>();
  private int writes;
  private volatile boolean stopped;

  RetryingClient(List<Node> nodes) {
    this.nodes = nodes;
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    while (!stopped) {
      String key = Long.toString(System.nanoTime());
      String first = write(writes, key);
      if (!first.isEmpty() && !succeedsAgain(key)) {
        lost.add(first + ", and " + REPETITIONS + " times more");
      }
      writes++;
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  // Once is enough, but on a machine that is too busy to elect a leader in time.
  private boolean succeedsAgain(String key) {
    for (int i = 1; i <= REPETITIONS; i++) {
      LockSupport.parkNanos(RETRY_NANOS);
      if (write(writes + i, key).isEmpty()) {
        return true;
      }
    }
    return false;
  }

  /** Writes by the first node that can be reached, from this one on. Returns what is wrong. */
  private String write(int from, String key) {
    StringBuilder notReached = new StringBuilder();
    for (int i = 0; i < nodes.size(); i++) {
      Node node = nodes.get((from + i) % nodes.size());
      try (HttpConnection connection = new HttpConnection(node.address(), SILENCE_MILLIS_MAX)) {
        return write(node, connection, key);
      } catch (IOException unreachable) {
        notReached.append(node).append(": ").append(unreachable).append(' ');
      }
    }
    return notReached.toString();
  }

  private static String write(Node node, HttpConnection connection, String key) {
    String field = "Idempotency-Key: " + key + "\r\n";
    try {
      Response response = connection.send("PUT", "/v1/kv/retried", field, key);
      return response.status() == 201 || response.status() == 204 ? "" : node + ": " + response;
    } catch (IOException unanswered) {
      return node + ": " + unanswered;
    }
  }

  /** Ends it; fails if a write was lost. */
  void stop() throws InterruptedException {
    close();
    thread.join();
    assertEquals(List.of(), lost, "lost of " + writes + " writes");
    assertTrue(writes > nodes.size(), "it writes");
  }

  @Override
  public void close() {
    stopped = true;
  }
}
