package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A server whose entries fill their share of a small heap, killed and started again with it: what
 * ran starts again, and nothing that fits and was acknowledged is missing.
 */
@Tag(Depth.TAG)
final class NearlyFullHeapTest {
  private static final long SEED = Seed.choose();
  private static final int KILLS = Depth.of(1, 2, 67); // of each heap: 201 in all
  private static final int MIB = 1 << 20;
  private static final double FILLINGS = 1.2; // of the share, before the first kill
  private static final double MORE_FILLINGS = 0.3; // at most, before each of the others
  private static final String IN_FLIGHT = "in-flight";
  private static final int KEYS = 500;

  private final Path folder;
  private final Path prints;
  private final Random random = new Random(SEED);
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** What was acknowledged, coldest first: the length of each value, which says what is in it. */
  private final Map<String, Integer> written = new LinkedHashMap<>(16, 0.75f, true);

  /** What may have been put by the write that was under way at the last kill. */
  private long inFlightWeight;

  NearlyFullHeapTest(@TempDir Path folder, @TempDir Path prints) {
    this.folder = folder;
    this.prints = prints;
  }

  static IntStream heaps() {
    return IntStream.of(64, 128, 256).limit(Depth.of(1, 2, 3));
  }

  @ParameterizedTest
  @MethodSource("heaps")
  void whatRanStartsAgain(int mebibytes) throws Exception {
    for (int kill = 0; kill < KILLS; kill++) {
      try (ServerProcess server = serve(mebibytes)) {
        assertFoundAgain(server);
        write(server, mebibytes, kill == 0 ? FILLINGS : random.nextDouble() * MORE_FILLINGS);
        assertEquals("", server.err());
        killDuringAWrite(server, mebibytes);
      }
    }
    try (ServerProcess server = serve(mebibytes)) {
      assertFoundAgain(server);
      assertEquals("", server.err());
      assertEquals(0, server.terminate().awaitExit());
    }
  }

  private ServerProcess serve(int mebibytes) throws Exception {
    return ServerProcess.serveWithHeap(
        prints, "-Xmx" + mebibytes + "m", "--data-dir", folder.toString());
  }

  private static int longest(int mebibytes) {
    return Math.min(16 * MIB, mebibytes * MIB / 16);
  }

  private void killDuringAWrite(ServerProcess server, int mebibytes) throws Exception {
    int length = length(longest(mebibytes));
    inFlightWeight = weightAtMost(length);
    CompletableFuture<HttpResponse<Void>> unfinished =
        client.sendAsync(
            request(server, IN_FLIGHT).PUT(BodyPublishers.ofByteArray(value(length))).build(),
            BodyHandlers.discarding());
    server.kill().awaitExit();
    unfinished.handle((answer, cut) -> answer).join();
  }

  private void write(ServerProcess server, int mebibytes, double fillings) throws Exception {
    int longest = longest(mebibytes);
    long left = (long) (fillings * mebibytes * MIB * 5 / 16);
    while (left > 0) {
      int length = length(longest);
      String key = "key-" + random.nextInt(KEYS);
      HttpResponse<byte[]> put =
          send(server, key, to -> to.PUT(BodyPublishers.ofByteArray(value(length))));
      assertTrue(put.statusCode() / 100 == 2, () -> put.statusCode() + told());
      written.put(key, length);
      left -= length;
    }
  }

  // Of each order of magnitude as many; the longest now and then.
  private int length(int longest) {
    if (random.nextInt(20) == 0) {
      return longest;
    }
    int magnitude =
        1 << random.nextInt(Integer.numberOfTrailingZeros(Integer.highestOneBit(longest)));
    return magnitude + random.nextInt(magnitude);
  }

  private static byte[] value(int length) {
    byte[] value = new byte[length];
    Arrays.fill(value, (byte) length);
    return value;
  }

  private void assertFoundAgain(ServerProcess server) throws Exception {
    Matcher capacity = Pattern.compile("capacity-bytes +(\\d+)").matcher(server.out());
    assertTrue(capacity.find(), server.out());
    long budget = Long.parseLong(capacity.group(1)) - inFlightWeight;
    List<Map.Entry<String, Integer>> hottestLast = List.copyOf(written.entrySet());
    int first = hottestLast.size();
    while (first > 0 && budget >= weightAtMost(hottestLast.get(first - 1).getValue())) {
      first--;
      budget -= weightAtMost(hottestLast.get(first).getValue());
    }
    // In their order, so that it stays the order of use.
    for (int i = 0; i < hottestLast.size(); i++) {
      String key = hottestLast.get(i).getKey();
      int length = hottestLast.get(i).getValue();
      HttpResponse<byte[]> found = send(server, key, HttpRequest.Builder::GET);
      boolean isThere = found.statusCode() == 200;
      assertTrue(isThere || i < first, () -> "missing, though there is room" + told());
      if (isThere) {
        assertTrue(Arrays.equals(value(length), found.body()), () -> "another value" + told());
      } else {
        written.remove(key);
      }
    }
    assertEquals(204, send(server, IN_FLIGHT, HttpRequest.Builder::DELETE).statusCode());
    inFlightWeight = 0;
  }

  private static long weightAtMost(int length) {
    return length < MIB / 4 ? length + 1024 : (length / MIB + 2L) * MIB;
  }

  private interface Method {
    HttpRequest.Builder of(HttpRequest.Builder request);
  }

  private HttpResponse<byte[]> send(ServerProcess server, String key, Method method)
      throws Exception {
    return client.send(method.of(request(server, key)).build(), BodyHandlers.ofByteArray());
  }

  private static HttpRequest.Builder request(ServerProcess server, String key) throws Exception {
    return HttpRequest.newBuilder(URI.create(server.url() + "/v1/kv/" + key))
        .timeout(Duration.ofSeconds(60));
  }

  private static String told() {
    return ", -Dpensieve.seed=" + SEED;
  }
}
