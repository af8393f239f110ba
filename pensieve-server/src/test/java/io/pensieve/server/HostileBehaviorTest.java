package io.pensieve.server;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.RawClient;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Many abuses of a server that is a process of its own, with tokens, a small heap, few descriptors
 * and, where one can be mounted, a small disk. Whoever means well is served all the while, {@code
 * /readyz} tells the truth, and in the end nothing is held. {@code -Dpensieve.abuses=10000} is how
 * many at each heap, {@code -Dpensieve.seed=42} makes the same ones again.
 */
@SuppressWarnings({"EnumOrdinal", "try"}) // any of them, by chance
@Tag(Depth.TAG)
final class HostileBehaviorTest {
  private static final long SEED = Seed.choose();
  private static final int ABUSES =
      Integer.getInteger("pensieve.abuses", Depth.of(40, 100, 10_000));
  private static final int OPEN_MAX = 150;
  private static final int FILES_MAX = 320;
  private static final int SILENT = 400; // more than there are descriptors
  private static final int VOLUME_MEBIBYTES = 192;
  // Long enough for a machine that is busy with other things: whoever means well is silent, too,
  // when he does not get to run.
  private static final String SILENCE_MAX = "60s";
  private static final int NEWCOMERS = 50;
  private static final int MIB = 1 << 20;
  private static final int SPARE_FILES = 16;
  private static final long PATIENCE_NANOS = 120_000_000_000L;
  private static final long POLL_NANOS = 10_000_000;
  private static final String TOKEN = "writer-0123456789";
  private static final String MINE = "Host: test\r\nAuthorization: Bearer " + TOKEN + "\r\n";
  private static final String ALARM =
      "\\S+Z alarm (log_full|descriptors_short|compaction_failed): .*";
  private static final String CUT = "pensieve-server: connections-max is .*";

  private final Random random = new Random(SEED);
  private final List<HostileConnection> open = new ArrayList<>();
  private final Path data;
  private final Path prints;

  HostileBehaviorTest(@TempDir Path data, @TempDir Path prints) {
    this.data = data;
    this.prints = prints;
  }

  static IntStream heaps() {
    return IntStream.of(64, 128, 256).limit(Depth.of(1, 3, 3));
  }

  @ParameterizedTest
  @MethodSource("heaps")
  @Timeout(3600)
  void nothingIsHeldAfterThem(int mebibytes) throws Exception {
    System.out.println("HostileBehaviorTest: " + ABUSES + " at " + mebibytes + " MiB" + told());
    Optional<SmallVolume> volume = SmallVolume.mount(data, VOLUME_MEBIBYTES);
    try (ServerProcess server = serve(mebibytes)) {
      put(server, "large", "x".repeat(MIB));
      put(server, "control", "\u0001".repeat(MIB / 4));
      double files = requireNonNull(metrics(server).get("process_open_fds"));
      try (WellBehavedClient wellBehavedClient = new WellBehavedClient(server.port(), TOKEN)) {
        wellBehavedClient.start();
        abuse(server, wellBehavedClient, volume);
        closeAll();
        wellBehavedClient.assertContent(told());
        System.out.println(
            wellBehavedClient.rounds() + " rounds, " + wellBehavedClient.refusals() + " refused");
      }
      awaitNothingHeld(server, files);
      assertAccepts(server);
      assertEquals(0, server.terminate().awaitExit(), server.err());
      assertEquals(List.of(), unexpected(server.err()), told());
    } finally {
      closeAll();
      if (volume.isPresent()) {
        volume.get().close();
      }
    }
  }

  private ServerProcess serve(int mebibytes) throws Exception {
    return ServerProcess.serveWithFiles(
        FILES_MAX,
        prints,
        "-Xmx" + mebibytes + "m",
        Map.of("PENSIEVE_TOKENS", "write " + TOKEN),
        "--data-dir",
        data.resolve("log").toString(),
        "--value-bytes-max",
        String.valueOf(2 * MIB),
        "--silence-max",
        SILENCE_MAX);
  }

  private void abuse(
      ServerProcess server, WellBehavedClient wellBehavedClient, Optional<SmallVolume> volume)
      throws Exception {
    int full = random.nextInt(ABUSES);
    int crowded = random.nextInt(ABUSES);
    for (int i = 0; i < ABUSES; i++) {
      wellBehavedClient.assertContent(told());
      if (i % 1000 == full % 1000 && volume.isPresent()) {
        fillUp(server, volume.get(), wellBehavedClient);
      }
      if (i % 1000 == crowded % 1000) {
        crowd(server, wellBehavedClient);
      }
      if (random.nextInt(50) == 0) {
        fillHeap(server);
      } else {
        begin(server, HostileBehavior.values()[random.nextInt(HostileBehavior.values().length)]);
      }
      while (open.size() > OPEN_MAX) {
        open.remove(random.nextInt(open.size())).close();
      }
    }
  }

  private HostileConnection connect(ServerProcess server) throws IOException {
    HostileConnection connection =
        random.nextBoolean()
            ? new HostileConnection(server.port())
            : HostileConnection.narrow(server.port());
    open.add(connection);
    return connection;
  }

  private void begin(ServerProcess server, HostileBehavior hostileBehavior) throws IOException {
    HostileConnection connection = connect(server);
    hostileBehavior.begin(connection, TOKEN);
    end(connection);
  }

  private void end(HostileConnection connection) throws IOException {
    switch (HostileBehavior.End.any(random)) {
      case CLOSE -> connection.close();
      case RESET -> connection.reset();
      case END_OF_OUTPUT -> endOutput(connection);
      case STAY -> {
        return;
      }
    }
  }

  private static void endOutput(HostileConnection connection) {
    try {
      connection.endOutput();
    } catch (IOException cutMeanwhile) {
      // By the server, which may.
    }
  }

  /** As many long bodies and unread answers at once as the heap has no room for. */
  private void fillHeap(ServerProcess server) throws IOException {
    for (int i = 0; i < 40; i++) {
      HostileConnection connection = connect(server);
      HostileBehavior hostileBehavior =
          switch (random.nextInt(4)) {
            case 0 -> HostileBehavior.AN_UNREAD_VALUE;
            case 1 -> HostileBehavior.A_LARGE_TEXT;
            case 2 -> HostileBehavior.A_LARGE_BODY;
            default -> HostileBehavior.NEARLY_A_LARGE_BODY;
          };
      hostileBehavior.begin(connection, TOKEN);
    }
  }

  /** More connections than the server has descriptors for; they say nothing. */
  private void crowd(ServerProcess server, WellBehavedClient wellBehavedClient) throws Exception {
    List<HostileConnection> silent = new ArrayList<>();
    for (int i = 0; i < SILENT; i++) {
      silent.add(new HostileConnection(server.port()));
    }
    for (HostileConnection connection : silent) {
      connection.close();
    }
    awaitRounds(
        wellBehavedClient, 2 * WellBehavedClient.ROUNDS_A_CONNECTION); // so that it has come anew
  }

  private static void fillUp(
      ServerProcess server, SmallVolume volume, WellBehavedClient wellBehavedClient)
      throws Exception {
    long refusals = wellBehavedClient.refusals();
    volume.fill();
    await(
        wellBehavedClient,
        "a full disk is noticed",
        () -> wellBehavedClient.refusals() > refusals + 2);
    volume.free();
    // The server looks for room now and then. Until then it refuses writes, in rounds that count.
    await(wellBehavedClient, "room is noticed", () -> statusOfPut(server, "told", "x") / 100 == 2);
    awaitRounds(wellBehavedClient, 5);
  }

  private static void awaitRounds(WellBehavedClient wellBehavedClient, int count) throws Exception {
    long before = wellBehavedClient.rounds();
    await(wellBehavedClient, "it is served", () -> wellBehavedClient.rounds() > before + count);
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(WellBehavedClient wellBehavedClient, String what, Condition condition)
      throws Exception {
    long deadlineNanos = System.nanoTime() + PATIENCE_NANOS;
    while (!condition.holds()) {
      wellBehavedClient.assertContent(told());
      assertTrue(System.nanoTime() - deadlineNanos < 0, () -> "never: " + what + told());
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private void closeAll() throws IOException {
    for (HostileConnection connection : open) {
      connection.close();
    }
    open.clear();
  }

  /** All gauges are as if nothing had been, but for the one request that asks for them. */
  private static void awaitNothingHeld(ServerProcess server, double filesBefore) throws Exception {
    long deadlineNanos = System.nanoTime() + PATIENCE_NANOS;
    Map<String, Double> expected =
        Map.of(
            "http_server_requests_in_flight",
            1.0,
            "pensieve_held_requests{kind=\"admitted\"}",
            1.0,
            "pensieve_held_requests{kind=\"poll\"}",
            0.0,
            "pensieve_held_requests{kind=\"watch\"}",
            0.0,
            "pensieve_held_bytes{kind=\"request\"}",
            0.0,
            "pensieve_held_bytes{kind=\"event\"}",
            0.0);
    while (true) {
      put(server, "told", "x"); // a watcher that has gone is found out by telling it something
      Map<String, Double> now = metrics(server);
      double files = requireNonNull(now.get("process_open_fds"));
      now.keySet().retainAll(expected.keySet());
      if (now.equals(expected) && files <= filesBefore + SPARE_FILES) {
        return;
      }
      assertTrue(
          System.nanoTime() - deadlineNanos < 0,
          () -> "held: " + now + ", " + files + " files of " + filesBefore + told());
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private static void assertAccepts(ServerProcess server) throws Exception {
    List<RawClient> newcomers = new ArrayList<>();
    for (int i = 0; i < NEWCOMERS; i++) {
      newcomers.add(client(server));
    }
    for (RawClient newcomer : newcomers) {
      assertEquals(
          200, newcomer.send("GET /v1/kv/large HTTP/1.1\r\n" + MINE + "\r\n").receive().status());
      newcomer.close();
    }
  }

  private static RawClient client(ServerProcess server) throws IOException {
    return new RawClient(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
  }

  private static void put(ServerProcess server, String key, String value) throws Exception {
    int status = statusOfPut(server, key, value);
    assertEquals(2, status / 100, () -> "of a put: " + status + told());
  }

  private static int statusOfPut(ServerProcess server, String key, String value) throws Exception {
    try (RawClient client = client(server)) {
      String head = "PUT /v1/kv/" + key + " HTTP/1.1\r\n" + MINE + "Content-Length: ";
      return client.send(head + value.length() + "\r\n\r\n" + value).receive().status();
    }
  }

  private static Map<String, Double> metrics(ServerProcess server) throws Exception {
    try (RawClient client = client(server)) {
      RawClient.Response scraped =
          client.send("GET /metrics HTTP/1.1\r\n" + MINE + "\r\n").receive();
      assertEquals(200, scraped.status(), told());
      Map<String, Double> metrics = new TreeMap<>();
      for (String line : scraped.body().lines().toList()) {
        if (!line.startsWith("#")) {
          int space = line.lastIndexOf(' ');
          metrics.put(line.substring(0, space), Double.parseDouble(line.substring(space + 1)));
        }
      }
      return metrics;
    }
  }

  // What is short is told when that begins and when it ends; anything else is a fault.
  private static List<String> unexpected(String err) {
    return err.lines().filter(line -> !line.matches(ALARM) && !line.matches(CUT)).toList();
  }

  private static String told() {
    return ", -Dpensieve.seed=" + SEED;
  }
}
