package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Tokens;
import io.pensieve.server.http.protocol.MemoryBudget;
import io.pensieve.server.http.transport.ConnectionLimits;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who takes what others need, and for how long. */
@Timeout(120)
final class FairnessTest {
  private static final String TOKEN = "reader-0123456789";
  private static final String MINE = "Authorization: Bearer " + TOKEN + "\r\n";
  private static final String NEVER_SENT = "Host: test\r\nContent-Length: 1000000\r\n";
  private static final int REQUESTS_MAX = 2;
  private static final int CLIENTS = 20;
  private static final int ATTEMPTS_MAX = 10;
  private static final long DRIP_MILLIS = 20;
  private static final Duration SILENCE_MAX = Duration.ofMillis(1_200);
  private static final String PIECE = "x".repeat(4_000); // more than is expected in that time

  private final List<RawClient> hostile = new ArrayList<>();

  @AfterEach
  void closes() throws Exception {
    for (RawClient client : hostile) {
      client.close();
    }
  }

  private static ServerUnderTest serve(Duration silenceMax) throws Exception {
    Tokens tokens = Tokens.parse("read " + TOKEN);
    ConnectionLimits connections =
        new ConnectionLimits(100, REQUESTS_MAX, silenceMax, Duration.ofSeconds(5));
    return new ServerUnderTest(
        io.pensieve.log.Log.inMemory(10),
        ServerUnderTest.on()
            .authorizer(Authorizer.withTokens(tokens))
            .connections(connections)
            .build(),
        Cluster.alone(1));
  }

  private RawClient send(ServerUnderTest server, String request) throws Exception {
    RawClient client = server.connect();
    hostile.add(client);
    return client.send(request);
  }

  @Test
  void onlyWhoMayCallARouteTakesAPlaceAndABodyNobodyAskedForIsNotWaitedFor() throws Exception {
    try (ServerUnderTest server = serve(Duration.ofMinutes(1));
        RawClient wellBehaved = server.connect()) {
      for (int i = 0; i < CLIENTS; i++) {
        send(server, "GET /livez HTTP/1.1\r\n" + NEVER_SENT + "\r\n");
        send(server, "GET /get/k HTTP/1.1\r\n" + NEVER_SENT + "\r\n");
        send(server, "PUT /v1/kv/k HTTP/1.1\r\n" + MINE + NEVER_SENT + "\r\n");
      }
      for (int i = 0; i < hostile.size(); i++) {
        int expected = new int[] {200, 401, 403}[i % 3];
        assertEquals(expected, hostile.get(i).receive().status());
      }
      wellBehaved.send("GET /get/k HTTP/1.1\r\nHost: test\r\n" + MINE + "\r\n");
      assertEquals(200, wellBehaved.receive().status());
      // One who may: he takes a place, and is cut off like the others.
      send(server, "GET /get/k HTTP/1.1\r\n" + MINE + NEVER_SENT + "\r\n");
      for (RawClient client : hostile) {
        client.awaitClosed();
      }
      Await.until("nothing is held", () -> server.http.requestsInFlight() == 0);
      assertEquals(0, server.http.requestsAdmitted());
    }
  }

  @Test
  void aBodyOfAByteAtATimeIsCutOff() throws Exception {
    try (ServerUnderTest server = serveOpenly();
        RawClient client = server.connect()) {
      client.send("PUT /v1/kv/k HTTP/1.1\r\n" + NEVER_SENT + "\r\n");
      drip(server, client);
      assertEquals(0, MemoryBudget.OF_PROCESS.bytesReserved());
      assertEquals(0, server.map.size());
    }
  }

  // It is never silent for as long as it may be.
  private static void drip(ServerUnderTest server, RawClient client) throws Exception {
    Await.until("it has begun", () -> server.http.requestsInFlight() == 1);
    Await.until(
        "it is cut off",
        () -> {
          try {
            client.send("x");
          } catch (IOException cut) {
            return true;
          }
          Thread.sleep(DRIP_MILLIS);
          return server.http.requestsInFlight() == 0;
        });
    Await.until("nothing is held", () -> server.http.requestsInFlight() == 0);
  }

  private static ServerUnderTest serveOpenly() throws Exception {
    ConnectionLimits connections =
        new ConnectionLimits(100, REQUESTS_MAX, SILENCE_MAX, Duration.ofSeconds(5));
    return new ServerUnderTest(
        io.pensieve.log.Log.none(), ServerUnderTest.letting(connections), Cluster.alone(1));
  }

  @Test
  void aBodyThatComesAtTheMinimalRateIsWaitedFor() throws Exception {
    for (int attempt = 1; !isWaitedFor(); attempt++) {
      assertTrue(attempt < ATTEMPTS_MAX, "never at the minimal rate on this machine");
    }
  }

  /** False if the client is cut off because it came too slowly, as on a busy machine it may. */
  private static boolean isWaitedFor() throws Exception {
    long longestNanos = 0;
    try (ServerUnderTest server = serveOpenly();
        RawClient client = server.connect()) {
      int pieces = 6;
      long sentNanos = System.nanoTime();
      try {
        String head = "PUT /v1/kv/k HTTP/1.1\r\nHost: test\r\nContent-Length: ";
        client.send(head + pieces * PIECE.length() + "\r\n\r\n");
        for (int i = 0; i < pieces; i++) {
          client.send(PIECE);
          longestNanos = Math.max(longestNanos, System.nanoTime() - sentNanos);
          sentNanos = System.nanoTime();
          Thread.sleep(SILENCE_MAX.toMillis() / 4); // in all, longer than silence may last
        }
        assertEquals(201, client.receive().status());
        return true;
      } catch (IOException cut) {
        long silentNanos = Math.max(longestNanos, System.nanoTime() - sentNanos);
        assertTrue(silentNanos > SILENCE_MAX.toNanos(), "cut off at the minimal rate");
        return false;
      }
    }
  }
}
