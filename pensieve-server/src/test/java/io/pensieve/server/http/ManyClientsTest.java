package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * A thousand clients at once. Each has keys of its own, so that it knows what it wrote last; they
 * share the bound, so the map evicts under all of them.
 */
final class ManyClientsTest {
  private static final int CLIENTS = 1000;
  private static final int REQUESTS = 30;
  private static final int KEYS_PER_CLIENT = 4;
  private static final int THREADS = 64;
  private static final int CAPACITY = 2000;
  private static final long SEED = Seed.choose();

  @Test
  void leaveTheMapWithinItsBoundAndEveryLastWriteReadable() throws Exception {
    try (Pensieve<String, StoredValue> map =
            Pensieve.<String, StoredValue>builder().maximumEntries(CAPACITY).open();
        HttpServer http = HttpServer.start(ServerUnderTest.settings(), map, Cluster.alone(1))) {
      List<Client> clients = new ArrayList<>();
      for (int id = 0; id < CLIENTS; id++) {
        clients.add(new Client(id, new RawClient(http.address())));
      }
      runAllAtOnce(clients);
      assertTrue(map.size() <= CAPACITY, "seed " + SEED + ": " + map.size());
      for (Client client : clients) {
        client.assertReadsLastWrites();
        client.connection.close();
      }
    }
  }

  private static void runAllAtOnce(List<Client> clients) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    CountDownLatch start = new CountDownLatch(1);
    List<Future<?>> running = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      int first = thread;
      running.add(
          threads.submit(
              () -> {
                start.await();
                takeTurns(clients, first);
                return null;
              }));
    }
    start.countDown();
    try {
      for (Future<?> each : running) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  // All clients of a thread have a request under way before the first of them reads its answer.
  private static void takeTurns(List<Client> clients, int first) throws Exception {
    for (int request = 0; request < REQUESTS; request++) {
      for (int i = first; i < clients.size(); i += THREADS) {
        clients.get(i).send();
      }
      for (int i = first; i < clients.size(); i += THREADS) {
        clients.get(i).receive();
      }
    }
  }

  private static final class Client {
    final RawClient connection;
    private final int id;
    private final Random random;
    private final Map<String, String> lastWrites = new HashMap<>();
    private int requests;
    private String expected = "";
    private String orExpected = "";

    Client(int id, RawClient connection) {
      this.id = id;
      this.connection = connection;
      this.random = new Random(SEED + id);
    }

    void send() throws Exception {
      String key = "c" + id + "-" + random.nextInt(KEYS_PER_CLIENT);
      int dice = random.nextInt(10);
      expected = "{\"status\":\"ok\"}";
      orExpected = expected;
      if (dice < 4) {
        put(key, "v" + requests++);
      } else if (dice < 9) {
        expected = valueAnswer(lastWrites.getOrDefault(key, ""));
        orExpected = valueAnswer("");
        connection.request("GET", "/get/" + key);
      } else {
        lastWrites.remove(key);
        connection.request("DELETE", "/delete/" + key);
      }
    }

    private void put(String key, String value) throws Exception {
      lastWrites.put(key, value);
      String body = "{\"key\":\"" + key + "\",\"val\":\"" + value + "\"}";
      connection.send(
          "POST /put HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n"
              + body);
    }

    // A value is the last one written, or the key was evicted: never an older one.
    void receive() throws Exception {
      RawClient.Response answer = connection.receive();
      assertTrue(
          answer.status() == 200
              && (answer.body().equals(expected) || answer.body().equals(orExpected)),
          () -> "seed " + SEED + ": " + answer + " instead of " + expected);
    }

    void assertReadsLastWrites() throws Exception {
      for (int i = 0; i < KEYS_PER_CLIENT; i++) {
        String key = "c" + id + "-" + i;
        String last = lastWrites.getOrDefault(key, "");
        expected = valueAnswer(last);
        orExpected = valueAnswer("");
        receiveAfterGet(key);
      }
      // This key is the most recently used one, so it is not evicted.
      put("c" + id + "-0", "last");
      assertEquals(200, connection.receive().status());
      expected = valueAnswer("last");
      orExpected = expected;
      receiveAfterGet("c" + id + "-0");
    }

    private void receiveAfterGet(String key) throws Exception {
      connection.request("GET", "/get/" + key);
      receive();
    }

    private static String valueAnswer(String value) {
      return "{\"val\":\"" + value + "\"}";
    }
  }
}
