package io.pensieve.server.cluster;

import com.google.gson.JsonObject;
import io.pensieve.server.cluster.HttpConnection.Response;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/** The members of a cluster, as an operator changes them. */
final class Members {
  private static final int SILENCE_MILLIS_MAX = 30_000;
  private static final long PATIENCE_NANOS = 3_000_000_000L;
  private static final long POLL_NANOS = 20_000_000;

  private final Cluster cluster;

  Members(Cluster cluster) {
    this.cluster = cluster;
  }

  /**
   * A node whose folder is empty waits, says which command helps, and is no member of anything
   * until that was done.
   */
  void bringBackEmptied(Node node) throws Exception {
    node.start().awaitListening();
    cluster.await(node + " names the command", () -> readiness(node).contains("cluster replace"));
    admit(node);
  }

  private static String readiness(Node node) throws IOException {
    try (KeyClient client = new KeyClient()) {
      return client.send(node, "GET", "/readyz", "", "").map(Response::body).orElse("");
    }
  }

  /** Replaces a node by itself until it is a member again: an answer may be lost with a leader. */
  private void admit(Node node) throws Exception {
    StringBuilder answers = new StringBuilder();
    long deadlineNanos = System.nanoTime() + Cluster.PATIENCE.toNanos();
    while (!Cluster.isReady(node)) {
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new AssertionError(node + " is not admitted: " + answers + "\n" + cluster.report());
      }
      if (isOutside(node)) {
        JsonObject fields = new JsonObject();
        fields.addProperty("id", Integer.toString(node.id()));
        fields.addProperty("url", node.url());
        answers.append(change(cluster.leader(), "replace", fields)).append('\n');
        awaitWhile(() -> isOutside(node));
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private static void awaitWhile(Cluster.Condition condition) throws Exception {
    long endNanos = System.nanoTime() + PATIENCE_NANOS;
    while (condition.holds() && System.nanoTime() - endNanos < 0) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private static boolean isOutside(Node node) throws IOException {
    return Cluster.state(node)
        .filter(state -> state.get("role").getAsString().equals("outside"))
        .isPresent();
  }

  /** Removes a member, which takes no part any more. */
  void remove(Node node) throws Exception {
    StringBuilder answers = new StringBuilder();
    long deadlineNanos = System.nanoTime() + Cluster.PATIENCE.toNanos();
    while (!isOutside(node)) {
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new AssertionError(node + " is not removed: " + answers + "\n" + cluster.report());
      }
      JsonObject fields = new JsonObject();
      fields.addProperty("id", Integer.toString(node.id()));
      answers.append(change(cluster.leader(), "remove", fields)).append('\n');
      awaitWhile(() -> !isOutside(node));
    }
  }

  private static String change(Node at, String what, JsonObject fields) {
    String json = "Content-Type: application/json\r\n";
    try (HttpConnection connection = new HttpConnection(at.address(), SILENCE_MILLIS_MAX)) {
      Response response = connection.send("POST", "/v1/cluster/" + what, json, fields.toString());
      return what + " at " + at + ": " + response.status() + " " + response.body();
    } catch (IOException silent) {
      return what + " at " + at + ": " + silent;
    }
  }
}
