package io.pensieve.bench.cluster;

import io.pensieve.bench.Options;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.consensus.StateMachine;
import io.pensieve.replication.ratis.RatisConsensus;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Question: how many writes a second does the consensus engine commit alone, without a map and
 * without HTTP, if writes are packed into entries as the log packs them? Three processes; forces
 * on.
 *
 * <pre>
 * java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.cluster.BareRaft \
 *     folder=/a/real/disk seconds=10 value=256 flights=1,16,64,256,1024
 * </pre>
 */
public final class BareRaft implements StateMachine {
  private static final UUID CLUSTER = new UUID(0, 1);
  private static final List<String> IDS = List.of("a", "b", "c");
  private static final int WRITES_PER_ENTRY_MAX = 256;
  private static final int ENTRIES_UNDER_WAY_MAX = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final RatisConsensus consensus;
  private final String id;
  private final int valueBytes;

  // All below: guarded by this.
  private final ArrayDeque<Long> waiting = new ArrayDeque<>();
  private final List<Long> latencies = new ArrayList<>();
  private long term;
  private int underWay;
  private int writesUnderWay;
  private boolean isOver;

  private BareRaft(RatisConsensus consensus, String id, int valueBytes) {
    this.consensus = consensus;
    this.id = id;
    this.valueBytes = valueBytes;
  }

  /** Prints a line for each number of writes in flight. */
  public static void main(String... arguments) throws Exception {
    Map<String, String> options = Options.of(arguments);
    Path folder = Path.of(options.getOrDefault("folder", "."));
    int port = Integer.parseInt(options.getOrDefault("port", "7980"));
    String id = options.get("id");
    int valueBytes = Integer.parseInt(options.getOrDefault("value", "256"));
    if (id != null) {
      BareRaft member = start(folder, port, id, valueBytes);
      while (System.in.read() >= 0) {
        // Lives as long as the process that measures.
      }
      member.consensus.close();
      return;
    }
    Path cluster = Files.createTempDirectory(folder, "bare-raft");
    List<Process> others = new ArrayList<>();
    try {
      for (String other : IDS.subList(1, IDS.size())) {
        others.add(spawn(cluster, port, other, valueBytes));
      }
      BareRaft self = start(cluster, port, IDS.get(0), valueBytes);
      self.measure(options);
      self.consensus.close();
    } finally {
      others.forEach(Process::destroy);
    }
  }

  private static Process spawn(Path folder, int port, String id, int valueBytes)
      throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home", ""), "bin", "java").toString(),
            "-Xmx512m",
            "-cp",
            System.getProperty("java.class.path", ""),
            BareRaft.class.getName(),
            "folder=" + folder,
            "port=" + port,
            "id=" + id,
            "value=" + valueBytes)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static BareRaft start(Path folder, int port, String id, int valueBytes)
      throws IOException {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < IDS.size(); i++) {
      URI url = URI.create("http://127.0.0.1:" + (port + i));
      members.add(new Member(IDS.get(i), "127.0.0.1", port + i, url));
    }
    RatisConsensus consensus =
        RatisConsensus.at(folder.resolve(id), CLUSTER, id)
            .members(members)
            .bind("127.0.0.1", port + IDS.indexOf(id))
            .build();
    BareRaft machine = new BareRaft(consensus, id, valueBytes);
    consensus.start(machine);
    return machine;
  }

  private void measure(Map<String, String> options) throws Exception {
    int seconds = Integer.parseInt(options.getOrDefault("seconds", "10"));
    awaitLead();
    run(256, Integer.parseInt(options.getOrDefault("warm", Integer.toString(seconds))));
    for (String flight : options.getOrDefault("flights", "1,16,64,256,1024").split(",", -1)) {
      int inFlight = Integer.parseInt(flight);
      long[] sorted = run(inFlight, seconds);
      System.out.printf(
          Locale.ROOT,
          "bare-raft in-flight=%d writes/s=%d p50-ms=%.1f p99-ms=%.1f%n",
          inFlight,
          sorted.length / seconds,
          percentile(sorted, 0.5),
          percentile(sorted, 0.99));
    }
  }

  private void awaitLead() throws InterruptedException {
    while (term() == 0) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  private synchronized long term() {
    return term;
  }

  private long[] run(int inFlight, int seconds) throws Exception {
    synchronized (this) {
      latencies.clear();
      isOver = false;
      for (int i = 0; i < inFlight; i++) {
        waiting.add(System.nanoTime());
      }
      pack();
    }
    TimeUnit.SECONDS.sleep(seconds);
    long end = System.nanoTime() + PATIENCE.toNanos();
    synchronized (this) {
      isOver = true;
      waiting.clear();
      long[] sorted = latencies.stream().mapToLong(Long::longValue).sorted().toArray();
      while (underWay > 0 && System.nanoTime() < end) {
        TimeUnit.MILLISECONDS.timedWait(this, 10);
      }
      return sorted;
    }
  }

  /**
   * As the log: an entry goes once it has as many writes as all those under way, or is full. Called
   * with the lock held.
   */
  private void pack() {
    while (!waiting.isEmpty()
        && underWay < ENTRIES_UNDER_WAY_MAX
        && waiting.size() >= Math.min(writesUnderWay, WRITES_PER_ENTRY_MAX)) {
      List<Long> begun = new ArrayList<>();
      while (begun.size() < WRITES_PER_ENTRY_MAX && !waiting.isEmpty()) {
        begun.add(waiting.remove());
      }
      underWay++;
      writesUnderWay += begun.size();
      byte[] entry = new byte[begun.size() * valueBytes];
      Arrays.fill(entry, (byte) 'v');
      var unused =
          consensus.propose(term, entry).whenComplete((done, failed) -> back(begun, failed));
    }
  }

  private synchronized void back(List<Long> begun, Throwable failed) {
    underWay--;
    writesUnderWay -= begun.size();
    if (failed != null) {
      System.err.println(failed);
    }
    long now = System.nanoTime();
    for (long since : begun) {
      if (failed == null) {
        latencies.add(now - since);
      }
      if (!isOver) {
        waiting.add(now);
      }
    }
    notifyAll();
    pack();
  }

  private static double percentile(long[] sorted, double part) {
    return sorted.length == 0 ? 0 : sorted[(int) ((sorted.length - 1) * part)] / 1e6;
  }

  @Override
  public void apply(LogPosition position, byte[] entry) {}

  @Override
  public synchronized void lead(long newTerm) {
    term = newTerm;
    if (!id.equals(IDS.get(0))) {
      // The process that measures must lead.
      new Thread(this::handOver).start();
    }
  }

  private void handOver() {
    while (term() != 0) {
      try {
        consensus.transferLeadership(Optional.of(IDS.get(0)), Duration.ofSeconds(5)).get();
      } catch (ExecutionException notYet) {
        // It is not up to date yet: again.
      } catch (InterruptedException ended) {
        return;
      }
    }
  }

  @Override
  public synchronized void follow() {
    term = 0;
  }

  @Override
  public void restore(LogPosition position, Path snapshot) {}

  @Override
  public void fail(Throwable cause) {
    System.err.println(cause);
  }
}
