package io.pensieve.server.cluster;

import io.pensieve.server.linearizability.Answer;
import io.pensieve.server.linearizability.Request;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** What is there when all is over: each node is asked for each key, and answers. */
final class FinalReads {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long POLL_NANOS = 20_000_000;

  private FinalReads() {}

  /** Reads all keys at all nodes. Each read is part of the history of its key. */
  static void read(List<Node> nodes, Histories histories) throws Exception {
    try (KeyClient client = new KeyClient()) {
      for (Node node : nodes) {
        for (String key : List.copyOf(histories.keys())) {
          read(client, node, key, histories);
        }
      }
    }
  }

  private static void read(KeyClient client, Node node, String key, Histories histories) {
    Request get = new Request.Get();
    long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() - deadlineNanos < 0) {
      long invokedNanos = histories.nanos();
      try {
        Optional<Answer> answer = client.ask(node, key, get, "");
        if (answer.filter(told -> !(told instanceof Answer.Unknown)).isPresent()) {
          histories.add(key, "at last at " + node, get, answer.orElseThrow(), invokedNanos);
          return;
        }
      } catch (IOException notConnected) {
        // It may be about to start.
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    throw new AssertionError(node + " answers no read of " + key);
  }
}
