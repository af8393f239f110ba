package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.cluster.OrderOfWrites.Delivered;
import io.pensieve.server.cluster.OrderOfWrites.Stretch;
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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/**
 * All changes from one moment to another, as the nodes deliver them: the order of writes. A client
 * of each node reads them as they come, since a node forgets them when it starts anew. Another one
 * goes to the next node whenever its stream ends.
 */
final class DeliveredChanges implements AutoCloseable {
  private static final int SILENCE_MILLIS_MAX = 2_000; // a paused node is asked again
  private static final long POLL_NANOS = 20_000_000;
  private static final long PATIENCE_WITH_GONE_NANOS = 1_000_000_000; // of a node that catches up
  private static final int HTTP_GONE = 410;
  private static final String ID = "id: ";
  private static final String DATA = "data: ";

  private final List<Node> nodes;
  private final List<Watcher> watchers = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private volatile boolean stopped;

  private DeliveredChanges(List<Node> nodes) {
    this.nodes = nodes;
  }

  /** Those from now on. */
  static DeliveredChanges since(Cluster cluster) throws Exception {
    DeliveredChanges changes = new DeliveredChanges(cluster.nodes());
    long since = changes.mark();
    for (int i = 0; i < changes.nodes.size(); i++) {
      changes.watch(changes.new Watcher(i, 0, since));
    }
    changes.watch(changes.new Watcher(0, 1, since));
    return changes;
  }

  private void watch(Watcher watcher) {
    watchers.add(watcher);
    threads.execute(watcher);
  }

  private long mark() throws IOException {
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
   * Fails unless all nodes have delivered the same changes in the same order, each as long as it
   * knew them.
   *
   * @return how many changes several nodes have delivered
   */
  int assertOneOrder() throws IOException {
    long last = mark();
    long deadlineNanos = System.nanoTime() + Cluster.PATIENCE.toNanos();
    while (!watchers.stream().allMatch(watcher -> watcher.since >= last)) {
      assertTrue(System.nanoTime() - deadlineNanos < 0, "some node does not deliver the last one");
      LockSupport.parkNanos(POLL_NANOS);
    }
    List<Stretch> stretches = new ArrayList<>();
    for (Watcher watcher : watchers) {
      synchronized (watcher) {
        for (Stretch stretch : watcher.stretches) {
          stretches.add(new Stretch(stretch.node(), List.copyOf(stretch.changes())));
        }
      }
    }
    int several = OrderOfWrites.assertOne(stretches);
    assertTrue(several > 0, "nodes have changes to compare");
    return several;
  }

  @Override
  public void close() {
    stopped = true;
    threads.shutdownNow();
  }

  /** A client that reads on where its stream ended, or anew where the changes are forgotten. */
  private final class Watcher implements Runnable {
    final List<Stretch> stretches = new ArrayList<>(); // guarded by this
    volatile long since;
    private final int step;
    private int at;
    private boolean isForgotten; // the changes after `since`: begins anew
    private long goneSinceNanos;

    Watcher(int first, int step, long since) {
      this.at = first;
      this.step = step;
      this.since = since;
      begin();
    }

    private synchronized void begin() {
      String node = step == 0 ? nodes.get(at).toString() : OrderOfWrites.VARIOUS;
      stretches.add(new Stretch(node, new ArrayList<>()));
    }

    @Override
    public void run() {
      while (!stopped) {
        try {
          read();
        } catch (IOException ended) {
          // It reads on below.
        }
        if (step > 0 && !stopped) {
          at = (at + step) % nodes.size();
        }
        LockSupport.parkNanos(POLL_NANOS);
      }
    }

    private void read() throws IOException {
      String query = isForgotten ? "" : "?since=" + since;
      URI url = URI.create(nodes.get(at).url() + "/v1/watch" + query);
      HttpURLConnection connection = (HttpURLConnection) url.toURL().openConnection();
      connection.setConnectTimeout(SILENCE_MILLIS_MAX);
      connection.setReadTimeout(SILENCE_MILLIS_MAX);
      try {
        if (connection.getResponseCode() == HTTP_GONE) {
          gone();
          return;
        }
        goneSinceNanos = 0;
        if (isForgotten) {
          isForgotten = false;
          begin();
        }
        readEvents(
            new BufferedReader(
                new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8)));
      } finally {
        connection.disconnect();
      }
    }

    // A node that catches up does not know this version yet.
    private void gone() {
      long now = System.nanoTime();
      if (goneSinceNanos == 0) {
        goneSinceNanos = now;
      }
      isForgotten = now - goneSinceNanos > PATIENCE_WITH_GONE_NANOS;
    }

    private void readEvents(BufferedReader in) throws IOException {
      long id = since;
      String data = "";
      for (String line = in.readLine(); line != null && !stopped; line = in.readLine()) {
        if (line.startsWith(ID)) {
          id = Long.parseLong(line.substring(ID.length()));
        } else if (line.startsWith(DATA)) {
          data = line.substring(DATA.length());
        } else if (line.isEmpty()) {
          if (!data.isEmpty() && id != since) { // the last event of a stream has no id
            add(new Delivered(id, data));
          }
          since = id;
          data = "";
        }
      }
    }

    private synchronized void add(Delivered change) {
      stretches.get(stretches.size() - 1).changes().add(change);
    }
  }
}
