package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Many clients who read, add one, and write on the condition that nobody else did meanwhile. */
final class ConditionalWritesTest {
  private static final int CLIENTS = 16;
  private static final int INCREMENTS = 60;
  private static final int KEYS = 3;
  private static final long SEED = Seed.choose();

  @Test
  void loseNoIncrementAndMakeEachVersionOnce() throws Exception {
    try (ServerUnderTest server = ServerUnderTest.start()) {
      List<String> writes = new ArrayList<>();
      for (Future<List<String>> client : runClients(server)) {
        writes.addAll(client.get());
      }
      long sum = 0;
      for (int key = 0; key < KEYS; key++) {
        sum += Long.parseLong(server.get("k" + key));
      }
      assertEquals(CLIENTS * INCREMENTS, sum, "seed " + SEED);
      assertEquals(CLIENTS * INCREMENTS, Set.copyOf(writes).size(), "each version is of one write");
    }
  }

  private static List<Future<List<String>>> runClients(ServerUnderTest server) {
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    List<Future<List<String>>> clients = new ArrayList<>();
    for (int id = 0; id < CLIENTS; id++) {
      Random random = new Random(SEED + id);
      clients.add(threads.submit(() -> increment(server, random)));
    }
    threads.shutdown();
    return clients;
  }

  private static List<String> increment(ServerUnderTest server, Random random) throws Exception {
    List<String> writes = new ArrayList<>();
    try (RawClient client = server.connect()) {
      while (writes.size() < INCREMENTS) {
        String path = "/v1/kv/k" + random.nextInt(KEYS);
        RawClient.Response read = client.request("GET", path).receive();
        boolean absent = read.status() == 404;
        long value = absent ? 0 : Long.parseLong(read.body());
        String condition =
            absent ? "If-None-Match: *" : "If-Match: " + read.header("etag") + ", \"987654321\"";
        RawClient.Response put = put(client, path, condition, String.valueOf(value + 1));
        long version = Long.parseLong(put.header("etag").replace("\"", ""));
        if (put.status() != 412) {
          assertEquals(absent ? 201 : 204, put.status());
          writes.add(path + " " + version);
        }
        assertTrue(
            absent || version > Long.parseLong(read.header("etag").replace("\"", "")),
            () -> "seed " + SEED + ": " + read + put);
      }
    }
    return writes;
  }

  private static RawClient.Response put(
      RawClient client, String path, String condition, String value) throws Exception {
    client.send(
        "PUT "
            + path
            + " HTTP/1.1\r\nHost: test\r\n"
            + condition
            + "\r\nContent-Length: "
            + value.length()
            + "\r\n\r\n"
            + value);
    return client.receive();
  }
}
