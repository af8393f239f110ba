package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.log.LogException;
import io.pensieve.server.http.protocol.MemoryBudget;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The thread that hands out changes, or the one that writes the log, ends by an {@code Error} while
 * clients wait for it in every way. All are let go, nothing is held, and {@code /readyz} says what
 * is true. {@code -Dpensieve.seed=42} does the same again.
 */
@Timeout(600)
@Tag(Depth.TAG)
final class DeadThreadsTest {
  private static final long SEED = Seed.choose();
  private static final int ROUNDS = Depth.of(1, 3, 100);
  private static final int CLIENTS = 30;
  private static final String HOST = " HTTP/1.1\r\nHost: test\r\n";
  private static final String PUT = "PUT /v1/kv/k" + HOST + "Content-Length: 9\r\n\r\n12345678";

  private final Random random = new Random(SEED);
  private int watching; // clients of this round

  @Test
  void theHubsThreadMeetsAnErrorWhileClientsWait() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      BrokenLog log = new BrokenLog();
      watching = 0;
      try (ServerUnderTest server =
          new ServerUnderTest(log, ServerUnderTest.settings(), Cluster.alone(1))) {
        server.map.put("k", "v");
        List<RawClient> clients = begin(server, 4);
        clients.add(watch(server.connect()));
        // One that comes after the error would be caught up for ever.
        Await.until(
            "all are told" + told(), () -> server.http.routeTable().watchersCaughtUp() == watching);
        log.errors.set(1 + random.nextInt(2));
        server.map.put("k", "what it meets the error with");
        Await.until(
            "it has met it" + told(), () -> server.http.routeTable().watchersCaughtUp() == 0);
        assertEquals(200, server.send(server.request("/readyz")).statusCode(), told());
        awaitNothingHeld(server, clients);
        server.put("after", "it");
        assertEquals("it", server.get("after"), told());
      }
    }
  }

  @Test
  void theLogsThreadMayEndWhileClientsWait() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      ControlledLog log = new ControlledLog();
      try (ServerUnderTest server =
          new ServerUnderTest(log, ServerUnderTest.readsMayWait(), Cluster.alone(1))) {
        List<RawClient> writers = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
          writers.add(server.connect().send(PUT + "9"));
        }
        Await.until("all wait" + told(), () -> log.writesWaiting() == CLIENTS);
        List<RawClient> others = begin(server, 2); // that log tells no changes
        LogException dead = new LogException.Failed("dead", new OutOfMemoryError("as wanted"));
        log.failWith("dead");
        log.refuse(dead);
        log.fail(dead);
        for (RawClient writer : writers) {
          RawClient.Response answer = writer.receive();
          assertEquals(
              "503 log_failed", answer.status() + " " + ServerUnderTest.code(answer.body()));
        }
        var ready = server.send(server.request("/readyz"));
        assertEquals(
            "503 log_failed", ready.statusCode() + " " + ServerUnderTest.code(ready.body()));
        others.addAll(writers);
        awaitNothingHeld(server, others);
        assertEquals(200, server.send(server.request("/livez")).statusCode(), told());
      }
    }
  }

  /**
   * Clients that are in the middle of a body or of a head, and, if of four kinds, watch or poll.
   */
  private List<RawClient> begin(ServerUnderTest server, int kinds) throws Exception {
    List<RawClient> clients = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      RawClient client = server.connect();
      clients.add(client);
      switch (random.nextInt(kinds)) {
        case 0 -> client.send(PUT);
        case 1 -> client.send("GET /v1/k");
        case 2 -> watch(client);
        default -> client.send("GET /v1/kv/none?wait=60s" + HOST + "If-None-Match: *\r\n\r\n");
      }
    }
    return clients;
  }

  private RawClient watch(RawClient client) throws Exception {
    watching++;
    return client.request("GET", "/v1/watch");
  }

  private void awaitNothingHeld(ServerUnderTest server, List<RawClient> clients) throws Exception {
    for (RawClient client : clients) {
      if (random.nextBoolean()) {
        client.reset();
      } else {
        client.close();
      }
    }
    RouteTable routeTable = server.http.routeTable();
    Await.until(
        "nothing is held" + told(),
        () -> {
          tell(server);
          return server.http.requestsInFlight() == 0
              && server.http.requestsAdmitted() == 0
              && routeTable.pollsParked() == 0
              && routeTable.watchers() == 0
              && MemoryBudget.OF_PROCESS.bytesReserved() == 0
              && MemoryBudget.OF_WATCHERS.bytesReserved() == 0;
        });
  }

  // That a watcher has gone is found out by telling it something.
  private static void tell(ServerUnderTest server) {
    try {
      server.map.put("told", "x");
    } catch (LogException dead) {
      // Then there are no watchers to be told.
    }
  }

  private static String told() {
    return ", -Dpensieve.seed=" + SEED;
  }
}
