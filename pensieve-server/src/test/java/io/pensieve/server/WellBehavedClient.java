package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.pensieve.server.http.RawClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A client with a token, who asks for nothing odd while others abuse the server. All that it is
 * answered is right, and what {@code /readyz} says is true: whether a write is taken just then.
 */
@SuppressWarnings("try") // closing may be interrupted, as the test itself
final class WellBehavedClient extends Thread implements AutoCloseable {
  /** After so many rounds it comes anew. */
  static final int ROUNDS_A_CONNECTION = 10;

  private static final int ROUNDS_A_LONG_VALUE = 10;
  private static final int LONG_BYTES = 256 << 10;
  private static final int KEYS = 50;
  private static final long PAUSE_NANOS = 2_000_000;

  private final InetSocketAddress server;
  private final String token;
  private RawClient client;
  private volatile boolean stopped;
  private volatile @Nullable Throwable failure;
  private volatile long rounds;
  private volatile long refusals; // of writes while the disk was full

  // What it was doing last, for whoever reads of its failure.
  private String asked = "";
  private long askedNanos = System.nanoTime();
  private long answeredNanos = System.nanoTime();
  private long silentMillis;

  WellBehavedClient(int port, String token) throws IOException {
    super("witness");
    this.server = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    this.token = token;
    this.client = new RawClient(server);
    setDaemon(true);
  }

  @Override
  public void run() {
    try {
      while (!stopped) {
        look();
        long before = rounds;
        rounds = before + 1; // by this thread only
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    } catch (Throwable wrong) {
      failure =
          new AssertionError(
              "round "
                  + rounds
                  + " of this connection "
                  + rounds % ROUNDS_A_CONNECTION
                  + ", asked "
                  + asked
                  + ", silent before for "
                  + silentMillis
                  + " ms, waited for "
                  + millisSince(askedNanos),
              wrong);
    }
  }

  private void look() throws IOException {
    if (rounds % ROUNDS_A_CONNECTION == ROUNDS_A_CONNECTION - 1) {
      client.close();
      client = new RawClient(server);
    }
    String key = "witness-" + rounds % KEYS;
    String value = "value " + rounds;
    int before = ready();
    RawClient.Response put = put(key, value);
    int after = ready();
    if (before == after) {
      assertEquals(before == 200, put.status() / 100 == 2, () -> "/readyz " + before + ", " + put);
    }
    if (put.status() / 100 == 2) {
      RawClient.Response got = send("GET", key, "");
      assertEquals("200 " + value, got.status() + " " + got.body());
    } else {
      assertEquals("503 log_full", put.status() + " " + code(put));
      long soFar = refusals;
      refusals = soFar + 1; // likewise
    }
    if (rounds % ROUNDS_A_LONG_VALUE == 0) {
      RawClient.Response big = put("witness-long", "x".repeat(LONG_BYTES));
      assertTrue(big.status() / 100 == 2 || !code(big).isEmpty(), big::toString);
      RawClient.Response gone = send("DELETE", "witness-gone", "");
      assertTrue(gone.status() == 204 || !code(gone).isEmpty(), gone::toString);
    }
  }

  private int ready() throws IOException {
    RawClient.Response ready = ask("GET", "/readyz", "Host: test\r\n\r\n");
    String expected = ready.status() == 200 ? "200" : "503 log_full";
    assertEquals(expected, ready.status() + (ready.status() == 200 ? "" : " " + code(ready)));
    return ready.status();
  }

  private RawClient.Response put(String key, String value) throws IOException {
    return send("PUT", key, "Content-Length: " + value.length() + "\r\n\r\n" + value);
  }

  private RawClient.Response send(String method, String key, String rest) throws IOException {
    String mine = "Host: test\r\nAuthorization: Bearer " + token + "\r\n";
    return ask(method, "/v1/kv/" + key, mine + (rest.isEmpty() ? "\r\n" : rest));
  }

  private RawClient.Response ask(String method, String target, String rest) throws IOException {
    asked = method + " " + target;
    silentMillis = millisSince(answeredNanos);
    askedNanos = System.nanoTime();
    RawClient.Response answer = client.send(asked + " HTTP/1.1\r\n" + rest).receive();
    answeredNanos = System.nanoTime();
    return answer;
  }

  private static long millisSince(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
  }

  /** The code of a refusal that clients may come again after, or could have known. */
  private static String code(RawClient.Response refused) {
    assertTrue(refused.status() == 503 || refused.status() == 413, refused::toString);
    assertEquals("application/problem+json", refused.header("content-type"), refused::toString);
    return JsonParser.parseString(refused.body()).getAsJsonObject().get("code").getAsString();
  }

  /** How often it has looked. */
  long rounds() {
    return rounds;
  }

  /** How many writes were refused because the disk was full. */
  long refusals() {
    return refusals;
  }

  /** All was right until now. */
  void assertContent(String told) {
    Throwable wrong = failure;
    if (wrong != null) {
      throw new AssertionError(told, wrong);
    }
  }

  @Override
  public void close() throws Exception {
    stopped = true;
    join();
    client.close();
  }
}
