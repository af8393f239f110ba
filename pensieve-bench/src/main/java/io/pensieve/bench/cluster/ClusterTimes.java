package io.pensieve.bench.cluster;

import io.pensieve.bench.Options;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * Questions: how long does a cluster of three take no writes when its leader is killed? How long
 * does a new node take to have everything, beside 5,000 writes a second? How long does a restart?
 *
 * <pre>
 * java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.cluster.ClusterTimes \
 *     jar=pensieve-server/target/pensieve-server.jar folder=/a/real/disk kills=50 entries=1000000
 * </pre>
 *
 * <p>{@code kills=0} or {@code entries=0} leaves a part out. {@code java=-Xmx1g,-XX:+UseSerialGC}
 * are options of the servers.
 */
public final class ClusterTimes {
  private static final int ENTRIES_A_BATCH = 1_000;
  private static final int WRITES_PER_SECOND = 5_000;
  private static final int WRITES_A_BATCH = 10;
  private static final int WRITERS = 4;
  private static final long SETTLE_MILLIS = 1_000;
  private static final long RETRY_MILLIS = 10;
  private static final String VALUE = "v".repeat(256);

  private final ServerNodes nodes;

  private ClusterTimes(ServerNodes nodes) {
    this.nodes = nodes;
  }

  /** Prints a line a result. */
  public static void main(String... arguments) throws Exception {
    Map<String, String> options = Options.of(arguments);
    String jar = options.getOrDefault("jar", "pensieve-server/target/pensieve-server.jar");
    Path folder = Path.of(options.getOrDefault("folder", "."));
    int port = Integer.parseInt(options.getOrDefault("port", "7920"));
    List<String> java = Arrays.asList(options.getOrDefault("java", "-Xmx1g").split(","));
    try (ServerNodes nodes = new ServerNodes(jar, folder, port, java)) {
      nodes.startAll();
      ClusterTimes times = new ClusterTimes(nodes);
      int kills = Integer.parseInt(options.getOrDefault("kills", "50"));
      if (kills > 0) {
        times.failovers(kills);
      }
      int entries = Integer.parseInt(options.getOrDefault("entries", "1000000"));
      if (entries > 0) {
        times.fill(entries);
        times.newNode();
        times.restarts();
      }
    }
  }

  private void failovers(int kills) throws Exception {
    double[] seconds = new double[kills];
    for (int kill = 0; kill < kills; kill++) {
      awaitWritten("before " + kill, nodes.leader());
      int leader = nodes.leader();
      nodes.kill(leader);
      long killedNanos = System.nanoTime();
      awaitWritten(
          "after " + kill, (leader + 1) % ServerNodes.COUNT, (leader + 2) % ServerNodes.COUNT);
      seconds[kill] = secondsSince(killedNanos);
      nodes.start(leader);
      nodes.awaitReady(leader);
      Thread.sleep(SETTLE_MILLIS);
    }
    Arrays.sort(seconds);
    print("writes resume after kill -9 of the leader, p50", seconds[kills / 2], "< 1.5 s");
    int p99 = Math.min(kills - 1, (int) Math.ceil(kills * 0.99) - 1);
    print("the same, p99", seconds[p99], "< 3 s");
    print("the same, longest of " + kills, seconds[kills - 1], "");
  }

  /** Writes by all these nodes at once, again and again, until one of them acknowledges it. */
  private void awaitWritten(String key, int... by) throws Exception {
    CompletableFuture<Boolean> written = new CompletableFuture<>();
    for (int node : by) {
      HttpRequest put =
          ServerNodes.request(nodes.url(node) + "/v1/kv/" + key.replace(' ', '-'))
              .PUT(BodyPublishers.ofString(VALUE))
              .build();
      tryToWrite(put, written);
    }
    if (!written.get(1, TimeUnit.MINUTES)) {
      throw new IOException("not written: " + key);
    }
  }

  private void tryToWrite(HttpRequest put, CompletableFuture<Boolean> written) {
    CompletableFuture<?> unused =
        nodes
            .client
            .sendAsync(put, BodyHandlers.discarding())
            .handle(
                (response, failure) -> {
                  if (failure == null && response.statusCode() / 100 == 2) {
                    written.complete(true);
                  } else if (!written.isDone()) {
                    CompletableFuture.delayedExecutor(RETRY_MILLIS, TimeUnit.MILLISECONDS)
                        .execute(() -> tryToWrite(put, written));
                  }
                  return null;
                });
  }

  private void fill(int entries) throws Exception {
    long startNanos = System.nanoTime();
    String url = nodes.url(nodes.leader());
    ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
    List<Future<String>> sent = new ArrayList<>();
    for (int first = 0; first < entries; first += ENTRIES_A_BATCH) {
      int begin = first;
      int count = Math.min(ENTRIES_A_BATCH, entries - first);
      sent.add(threads.submit(() -> nodes.post(url + "/v1/batch", batch("entry", begin, count))));
    }
    threads.shutdown();
    for (Future<String> each : sent) {
      each.get();
    }
    String what = entries + " entries of 256 bytes written in batches of 1000";
    print(what, secondsSince(startNanos), "");
  }

  private static String batch(String prefix, int first, int count) {
    StringBuilder batch = new StringBuilder("{\"atomic\":false,\"ops\":[");
    for (int i = first; i < first + count; i++) {
      batch.append(i == first ? "" : ",").append("{\"op\":\"put\",\"key\":\"").append(prefix);
      batch.append(i).append("\",\"value\":\"").append(VALUE).append("\"}");
    }
    return batch.append("]}").toString();
  }

  /** One node loses its folder, and is replaced by itself. */
  private void newNode() throws Exception {
    int leader = nodes.leader();
    int fresh = (leader + 1) % ServerNodes.COUNT;
    AtomicBoolean isOver = new AtomicBoolean();
    ExecutorService writers = Executors.newFixedThreadPool(WRITERS);
    List<Future<Integer>> writes = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      writes.add(writers.submit(() -> write(nodes.url(leader), isOver)));
    }
    nodes.kill(fresh);
    nodes.wipe(fresh);
    nodes.start(fresh);
    ServerNodes.await("the new node waits", () -> nodes.says(fresh, "\"role\":\"outside\""));
    long startNanos = System.nanoTime();
    String id = ServerNodes.id(fresh);
    String member = "{\"id\":\"" + id + "\",\"url\":\"" + nodes.url(fresh) + "\"}";
    nodes.post(nodes.url(leader) + "/v1/cluster/replace", member);
    print("a new node is a member", secondsSince(startNanos), "");
    nodes.awaitReady(fresh);
    double seconds = secondsSince(startNanos);
    isOver.set(true);
    print("it has everything", seconds, "< 15 s");
    int written = 0;
    for (Future<Integer> each : writes) {
      written += each.get();
    }
    System.out.printf(Locale.ROOT, "| writes beside it | %.0f/s | 5000/s |%n", written / seconds);
    writers.shutdown();
  }

  /** Writes at its share of the rate until it is over; returns how many. */
  private int write(String url, AtomicBoolean isOver) throws Exception {
    int written = 0;
    long startNanos = System.nanoTime();
    while (!isOver.get()) {
      long dueNanos = startNanos + written * (1_000_000_000L * WRITERS / WRITES_PER_SECOND);
      for (long left; (left = dueNanos - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(left);
      }
      nodes.post(url + "/v1/batch", batch("busy", written % 10_000, WRITES_A_BATCH));
      written += WRITES_A_BATCH;
    }
    return written;
  }

  private void restarts() throws Exception {
    int follower = (nodes.leader() + 2) % ServerNodes.COUNT;
    nodes.kill(follower);
    long startNanos = System.nanoTime();
    nodes.start(follower);
    nodes.awaitReady(follower);
    print("a follower killed with -9 is ready again", secondsSince(startNanos), "< 5 s");
  }

  private static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }

  private static void print(String what, double seconds, String aim) {
    System.out.printf(Locale.ROOT, "| %s | %.2f s | %s |%n", what, seconds, aim);
  }
}
