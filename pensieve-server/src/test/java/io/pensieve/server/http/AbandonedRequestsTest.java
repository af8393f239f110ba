package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.log.Log;
import io.pensieve.server.http.protocol.MemoryBudget;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Requests that are ended by their clients in every state, by silence, by an end, or by a reset.
 * None of them keeps a place. {@code -Dpensieve.seed=42} ends the same ones again.
 */
@Tag(Depth.TAG)
final class AbandonedRequestsTest {
  private static final int REQUESTS = Depth.of(100, 300, 10_000);
  private static final int AT_ONCE = 50;
  private static final Duration SILENCE_MAX = Duration.ofMillis(300);
  private static final long SEED = Seed.choose();
  private static final String HOST = " HTTP/1.1\r\nHost: test\r\n";
  private static final String JSON = HOST + "Content-Type: application/json\r\n";
  private static final String CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
  private static final String NOTHING =
      "requests 0, admitted 0, polls 0, watchers 0, bytes 0, of watchers 0";

  /** Whoever asks for them is the only one. */
  private static final Set<String> GAUGES =
      Set.of(
          "pensieve_held_requests{kind=\"admitted\"} 1.0",
          "pensieve_held_requests{kind=\"poll\"} 0.0",
          "pensieve_held_requests{kind=\"watch\"} 0.0",
          "pensieve_held_bytes{kind=\"request\"} 0.0",
          "pensieve_held_bytes{kind=\"event\"} 0.0");

  private static final String BIG = "x".repeat(100_000);

  /** Each of them as far as it comes; all of it, or any part from its beginning, is sent. */
  private static final List<String> REQUESTS_TO_END =
      List.of(
          "GET /get/k" + HOST + "\r\n",
          "GET /v1/kv/big" + HOST + "\r\n",
          "GET /get/big" + HOST + "\r\n",
          "GET /v1/watch" + HOST + "\r\n",
          "GET /v1/watch?since=1" + HOST + "\r\n",
          "GET /v1/kv/k?wait=500ms" + HOST + "If-None-Match: *\r\n\r\n",
          "GET /livez" + HOST + "Content-Length: 1000000\r\n\r\n",
          "GET /livez" + HOST + "Content-Length: 1000\r\n\r\nabc",
          "GET /nowhere" + HOST + "Content-Length: 1000\r\n\r\nabc",
          "GET /livez HTTP/1.1\r\nHost : test\r\n\r\n",
          "DELETE /v1/kv/a" + HOST + CHUNKED + "3\r\nabc\r\n0\r\nA: b\r\n\r\n",
          "PUT /v1/kv/a" + HOST + "Content-Length: 200000\r\n\r\n" + BIG + BIG,
          "PUT /v1/kv/a" + HOST + "Content-Length: 2000000000\r\n\r\n" + BIG,
          "PUT /v1/kv/a" + HOST + "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n123456789",
          "PUT /v1/kv/a"
              + HOST
              + CHUNKED
              + "186a0\r\n"
              + BIG
              + "\r\n186a0\r\n"
              + BIG
              + "\r\n0\r\n\r\n",
          "PUT /v1/kv/a" + HOST + CHUNKED + "186a0\r\n" + BIG + "0\r\n\r\n",
          "PUT /v1/kv/a" + HOST + CHUNKED + "g\r\n\r\n",
          "POST /put" + JSON + "Content-Length: 25\r\n\r\n{\"key\":\"a\",\"val\":\"value\"}",
          "POST /put" + HOST + "Content-Length: 100000\r\n\r\n" + BIG,
          "POST /v1/incr/k" + JSON + "Content-Length: 8\r\n\r\n{\"by\":1}",
          "POST /v1/batch"
              + JSON
              + "Content-Length: 54\r\n\r\n"
              + "{\"atomic\":false,\"ops\":[{\"op\":\"get\",\"key\":\"big\"}]}     ");

  @Test
  void noneKeepsAPlace() throws Exception {
    Random random = new Random(SEED);
    try (ServerUnderTest server =
        new ServerUnderTest(
            Log.inMemory(100), ServerUnderTest.patientFor(SILENCE_MAX), Cluster.alone(1))) {
      server.map.put("k", "v");
      server.map.put("big", BIG.repeat(20));
      List<Socket> open = new ArrayList<>();
      for (int i = 0; i < REQUESTS; i++) {
        open.add(begin(server, random));
        if (open.size() == AT_ONCE) {
          endAll(open, random);
        }
      }
      endAll(open, random);
      // That a watcher has gone is found out by telling it something.
      try {
        Await.until(
            "nothing is held, seed " + SEED,
            () -> {
              server.map.put("told", BIG);
              // The server may read a request only now whose client has gone long ago.
              return held(server).equals(NOTHING) && gauges(server).equals(GAUGES);
            });
      } catch (AssertionError kept) {
        throw new AssertionError(held(server) + " " + gauges(server), kept);
      }
      assertEquals("v", server.get("k"));
    }
  }

  private static Set<String> gauges(ServerUnderTest server) throws Exception {
    return StatusAndBody.of(server, "/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith("pensieve_held_"))
        .collect(Collectors.toSet());
  }

  private static String held(ServerUnderTest server) {
    return "requests %d, admitted %d, polls %d, watchers %d, bytes %d, of watchers %d"
        .formatted(
            server.http.requestsInFlight(),
            server.http.requestsAdmitted(),
            server.http.routeTable().pollsParked(),
            server.http.routeTable().watchers(),
            MemoryBudget.OF_PROCESS.bytesReserved(),
            MemoryBudget.OF_WATCHERS.bytesReserved());
  }

  private static Socket begin(ServerUnderTest server, Random random) throws IOException {
    Socket socket = new Socket();
    socket.setReceiveBufferSize(4 << 10); // so that an answer of two megabytes is not taken
    socket.connect(server.http.address());
    String request = REQUESTS_TO_END.get(random.nextInt(REQUESTS_TO_END.size()));
    String before = random.nextInt(4) == 0 ? "GET /get/k" + HOST + "\r\n" : "";
    int length = random.nextBoolean() ? request.length() : random.nextInt(request.length());
    try {
      String sent = before + request.substring(0, length);
      socket.getOutputStream().write(sent.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException refusedMeanwhile) {
      // What was sent so far has to be enough.
    }
    return socket;
  }

  private static void endAll(List<Socket> open, Random random) throws IOException {
    for (Socket socket : open) {
      switch (random.nextInt(3)) {
        case 0 -> socket.setSoLinger(true, 0);
        case 1 -> endOutput(socket);
        default -> {}
      }
      socket.close();
    }
    open.clear();
  }

  private static void endOutput(Socket socket) {
    try {
      socket.shutdownOutput();
    } catch (IOException cutMeanwhile) {
      // It has come to its end by the server.
    }
  }
}
