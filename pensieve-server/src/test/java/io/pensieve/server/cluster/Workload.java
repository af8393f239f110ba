package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.server.cluster.KeyClient.Keyed;
import io.pensieve.server.linearizability.Answer;
import io.pensieve.server.linearizability.Request;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Clients that read and write the same few keys by all nodes, and keep what they were told. */
final class Workload implements AutoCloseable {
  private static final int TEXTS = 4;
  private static final int COUNTERS = 2;
  private static final int PAIRS = 2;
  // Keys change now and then: no key collects many outcomes that are unknown.
  private static final int OPERATIONS_A_GENERATION = 4_000;
  private static final long TTL_NANOS = 1_500_000_000;
  private static final long PAUSE_NANOS_MAX = 4_000_000;
  private static final long PAUSE_NANOS_AFTER_REFUSAL = 20_000_000;
  private static final long POLL_NANOS = 2_000_000;
  private static final long SILENCE_NANOS = 500_000_000;
  private static final int REPETITIONS = 6;
  private static final int AVOIDANCE = 16;

  private final List<Node> nodes;
  private final Histories histories;
  private final String prefix;
  private final boolean withExpiry;
  private final ExecutorService threads;
  private final List<Future<Void>> running = new ArrayList<>();
  private final Map<String, Long> versionsSeen = new ConcurrentHashMap<>();
  private final AtomicLong operations = new AtomicLong();
  private final AtomicLong acknowledged = new AtomicLong();
  private volatile boolean stopped;

  /**
   * Starts the clients.
   *
   * @param prefix what the names of all keys begin with
   * @param withExpiry whether entries may expire
   * @param seed what the random numbers of all clients are made of
   */
  Workload(
      List<Node> nodes,
      Histories histories,
      String prefix,
      int clients,
      boolean withExpiry,
      long seed) {
    this.withExpiry = withExpiry;
    this.nodes = nodes;
    this.prefix = prefix;
    this.histories = histories;
    threads = Executors.newFixedThreadPool(clients);
    for (int i = 0; i < clients; i++) {
      Client client = new Client("client" + i, new Random(seed + i));
      running.add(threads.submit(client::run));
    }
  }

  /** Waits until so many more writes were acknowledged. */
  void awaitAcknowledged(int writes) throws Exception {
    long goal = acknowledged.get() + writes;
    long deadlineNanos = System.nanoTime() + Cluster.PATIENCE.toNanos();
    while (acknowledged.get() < goal) {
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new AssertionError(
            "writes do not go on: " + (goal - acknowledged.get()) + " missing");
      }
      for (Future<Void> each : running) {
        if (each.isDone()) {
          each.get();
          throw new AssertionError("a client has ended");
        }
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /** Ends all clients, when they have their answers; fails if one of them has failed. */
  void stop() throws Exception {
    stopped = true;
    threads.shutdown();
    for (Future<Void> each : running) {
      each.get();
    }
  }

  @Override
  public void close() {
    stopped = true;
    threads.shutdownNow();
  }

  private final class Client {
    private final String name;
    private final Random random;
    private int values;
    private @Nullable Node silent;

    Client(String name, Random random) {
      this.name = name;
      this.random = random;
    }

    Void run() throws Exception {
      try (KeyClient client = new KeyClient()) {
        while (!stopped) {
          Node node = choose();
          long startNanos = System.nanoTime();
          long generation = operations.incrementAndGet() / OPERATIONS_A_GENERATION;
          boolean isAnswered;
          try {
            isAnswered = act(client, node, prefix + generation + "-");
          } catch (IOException notConnected) {
            isAnswered = false;
          }
          if (isAnswered && node == silent) {
            silent = null;
          } else if (!isAnswered && System.nanoTime() - startNanos > SILENCE_NANOS) {
            silent = node;
          }
          LockSupport.parkNanos(
              isAnswered ? random.nextLong(PAUSE_NANOS_MAX) : PAUSE_NANOS_AFTER_REFUSAL);
        }
      }
      return null;
    }

    /** Any node, but seldom the one that was silent at last: it takes the time of many others. */
    private Node choose() {
      Node node = nodes.get(random.nextInt(nodes.size()));
      while (node == silent && random.nextInt(AVOIDANCE) > 0) {
        node = nodes.get(random.nextInt(nodes.size()));
      }
      return node;
    }

    private long ttlNanos() {
      return withExpiry ? TTL_NANOS : 0;
    }

    private boolean act(KeyClient client, Node node, String generation) throws IOException {
      int kind = random.nextInt(10);
      if (kind < 6) {
        String key = generation + "text" + random.nextInt(TEXTS);
        return one(client, node, key, textRequest(key));
      }
      if (kind < 8) {
        String key = generation + "counter" + random.nextInt(COUNTERS);
        return one(client, node, key, counterRequest());
      }
      String pair = generation + "pair" + random.nextInt(PAIRS);
      return all(client, node, pairRequests(pair));
    }

    private Request textRequest(String key) {
      long seen = versionsSeen.getOrDefault(key, Request.ABSENT);
      String value = name + " value " + values++;
      return switch (random.nextInt(12)) {
        case 0, 1, 2, 3 -> new Request.Get();
        case 4, 5 -> new Request.Put(value, Request.ANY_VERSION, 0);
        case 6 -> new Request.Put(value, Request.ANY_VERSION, ttlNanos());
        case 7, 8 -> new Request.Put(value, seen, 0);
        case 9 -> new Request.Put(value, Request.ABSENT, random.nextBoolean() ? ttlNanos() : 0);
        case 10 -> new Request.Delete(Request.ANY_VERSION);
        default -> new Request.Delete(seen == Request.ABSENT ? Request.ANY_VERSION : seen);
      };
    }

    private Request counterRequest() {
      return switch (random.nextInt(12)) {
        case 0, 1, 2 -> new Request.Get();
        case 3 -> new Request.Put("1000", Request.ABSENT, 0);
        case 4 -> new Request.Delete(Request.ANY_VERSION);
        default -> new Request.Increment(1 + random.nextInt(3));
      };
    }

    /** Both keys of a pair are written together and read together: so they are always equal. */
    private List<Keyed> pairRequests(String pair) {
      String value = name + " value " + values++;
      Request request =
          switch (random.nextInt(8)) {
            case 0, 1, 2, 3 -> new Request.Put(value, Request.ANY_VERSION, 0);
            case 4 -> new Request.Delete(Request.ANY_VERSION);
            default -> new Request.Get();
          };
      List<Keyed> both = new ArrayList<>();
      long seen = versionsSeen.getOrDefault(pair + "a", Request.ABSENT);
      if (!(request instanceof Request.Get) && random.nextInt(3) == 0) {
        both.add(new Keyed(pair + "a", new Request.Check(seen)));
      }
      both.add(new Keyed(pair + "a", request));
      both.add(new Keyed(pair + "b", request));
      return both;
    }

    private boolean one(KeyClient client, Node node, String key, Request request)
        throws IOException {
      long invokedNanos = histories.nanos();
      boolean isRepeatable =
          nodes.size() > 1 && !(request instanceof Request.Get) && random.nextBoolean();
      String fields =
          isRepeatable ? "Idempotency-Key: " + prefix + name + "-" + values++ + "\r\n" : "";
      Optional<Answer> answer = client.ask(node, key, request, fields);
      if (isRepeatable && answer.filter(Client::isUnknown).isPresent()) {
        return repeat(client, key, request, fields, invokedNanos);
      }
      answer.ifPresent(told -> keep(key, node, request, told, invokedNanos));
      return answer.filter(told -> !isUnknown(told)).isPresent();
    }

    /**
     * Sends a write again, which is executed once nevertheless. A refusal says nothing of it. Nor
     * does an answer that nothing was changed: then the first one may still be executed. A removal
     * without a condition is answered alike, whether or not there was an entry: both may be so.
     */
    private boolean repeat(
        KeyClient client, String key, Request request, String fields, long invokedNanos) {
      for (int i = 0; i < REPETITIONS; i++) {
        LockSupport.parkNanos(PAUSE_NANOS_AFTER_REFUSAL << i);
        Node node = nodes.get(random.nextInt(nodes.size()));
        long repeatedNanos = histories.nanos();
        try {
          Optional<Answer> answer =
              client.ask(node, key, request, fields).filter(told -> !isUnknown(told));
          if (answer.isPresent()) {
            boolean isRemoved = answer.get() instanceof Answer.Removed;
            boolean isOnlyOne = isRemoved ? isConditional(request) : hasChanged(answer.get());
            if (!isOnlyOne) {
              keep(key, node, request, new Answer.Unknown(), invokedNanos);
            }
            boolean mayBeTheFirst = isOnlyOne || isRemoved;
            keep(key, node, request, answer.get(), mayBeTheFirst ? invokedNanos : repeatedNanos);
            return true;
          }
        } catch (IOException notConnected) {
          // Then nothing was sent.
        }
      }
      keep(key, nodes.get(0), request, new Answer.Unknown(), invokedNanos);
      return false;
    }

    private static boolean hasChanged(Answer answer) {
      return answer instanceof Answer.Written || answer instanceof Answer.Sum;
    }

    private static boolean isConditional(Request request) {
      return request instanceof Request.Delete delete && delete.condition() != Request.ANY_VERSION;
    }

    private static boolean isUnknown(Answer answer) {
      return answer instanceof Answer.Unknown;
    }

    private boolean all(KeyClient client, Node node, List<Keyed> batch) throws IOException {
      long invokedNanos = histories.nanos();
      List<Optional<Answer>> answers = client.askForAll(node, batch, "");
      for (int i = 0; i < batch.size(); i++) {
        Keyed keyed = batch.get(i);
        answers
            .get(i)
            .ifPresent(told -> keep(keyed.key(), node, keyed.request(), told, invokedNanos));
      }
      if (batch.get(0).request() instanceof Request.Get && answers.get(0).isPresent()) {
        assertEquals(value(answers.get(0)), value(answers.get(1)), () -> "a pair: " + batch);
      }
      return answers.stream().flatMap(Optional::stream).anyMatch(told -> !isUnknown(told));
    }

    private String value(Optional<Answer> answer) {
      return answer.orElseThrow() instanceof Answer.Found found ? found.value() : "";
    }

    private void keep(String key, Node node, Request request, Answer answer, long invokedNanos) {
      histories.add(key, name + " at " + node, request, answer, invokedNanos);
      if (answer instanceof Answer.Found found) {
        versionsSeen.put(key, found.version());
      } else if (answer instanceof Answer.Written written) {
        versionsSeen.put(key, written.version());
        acknowledged.incrementAndGet();
      } else if (answer instanceof Answer.Sum || answer instanceof Answer.Removed) {
        acknowledged.incrementAndGet();
      }
    }
  }
}
