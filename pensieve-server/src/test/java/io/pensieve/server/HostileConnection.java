package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A client that neither reads when it should nor sends what it promised. Not for several threads.
 */
final class HostileConnection implements AutoCloseable {
  private static final Pattern CONTENT_LENGTH = Pattern.compile("(?i)\r\nContent-Length: (\\d+)");
  private static final int PATIENCE_MILLIS = 120_000;
  private static final int READ_BYTES = 64 << 10;
  private static final int FIRST_BYTES = 1 << 10;
  private static final int NARROW_BYTES = 4 << 10;
  private static final long STUCK_NANOS = 300_000_000;
  private static final long POLL_NANOS = 10_000_000;

  private final SocketChannel channel;
  private final long openedNanos = System.nanoTime();

  HostileConnection(int port) throws IOException {
    this(port, SocketChannel.open());
  }

  private HostileConnection(int port, SocketChannel unconnected) throws IOException {
    channel = unconnected;
    channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    channel.socket().setSoTimeout(PATIENCE_MILLIS);
  }

  /** A client on whose side almost nothing fits that it has not read: it waits at the server. */
  static HostileConnection narrow(int port) throws IOException {
    SocketChannel channel = SocketChannel.open();
    channel.setOption(StandardSocketOptions.SO_RCVBUF, NARROW_BYTES);
    return new HostileConnection(port, channel);
  }

  HostileConnection send(String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      int unused = channel.write(bytes);
    }
    return this;
  }

  /**
   * Sends the same again and again, until the server takes no more: it has closed the connection,
   * or takes nothing for a while. Returns how many bytes it took.
   */
  long flood(String piece, long bytesMax) throws IOException {
    channel.configureBlocking(false);
    ByteBuffer bytes = ByteBuffer.wrap(piece.getBytes(StandardCharsets.ISO_8859_1));
    long taken = 0;
    long stuckSinceNanos = System.nanoTime();
    try {
      while (taken < bytesMax && System.nanoTime() - stuckSinceNanos < STUCK_NANOS) {
        int count = channel.write(bytes);
        taken += count;
        if (!bytes.hasRemaining()) {
          bytes.rewind();
        }
        if (count > 0) {
          stuckSinceNanos = System.nanoTime();
        } else {
          LockSupport.parkNanos(POLL_NANOS);
        }
      }
    } catch (IOException cut) {
      return taken;
    } finally {
      channel.configureBlocking(true);
    }
    return taken;
  }

  /** The first bytes that come, at most so many; empty if the connection is closed instead. */
  String read(int bytesMax) throws IOException {
    byte[] bytes = new byte[bytesMax];
    try {
      int count = channel.socket().getInputStream().read(bytes);
      return count < 0 ? "" : new String(bytes, 0, count, StandardCharsets.ISO_8859_1);
    } catch (SocketTimeoutException silent) {
      throw silent;
    } catch (SocketException cut) {
      return "";
    }
  }

  /**
   * Reads the beginning of a response, whose status must be one of these, as in {@code 200|503}.
   * The server may close the connection instead, but only if the client has been slower than it may
   * be: on a busy machine every client is now and then.
   */
  void assertAnswered(String statuses, Duration silenceMax) throws IOException {
    String beginning = read(FIRST_BYTES);
    boolean answered = beginning.matches("(?s)HTTP/1.1 (" + statuses + ") .*");
    boolean cutOff = beginning.isEmpty() && isOlderThan(silenceMax);
    assertTrue(answered || cutOff, () -> "expected " + statuses + ", found \"" + beginning + "\"");
  }

  /** Whether it was opened so long ago. */
  boolean isOlderThan(Duration age) {
    return System.nanoTime() - openedNanos > age.toNanos();
  }

  /**
   * Puts and gets so many times as it should, and checks each response. Returns false if the
   * connection is closed instead of one.
   */
  boolean isServed(int times) throws IOException {
    for (int i = 0; i < times; i++) {
      String body = "{\"key\":\"beside\",\"val\":\"value " + i + "\"}";
      String put =
          response(
              "POST /put HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  + "Content-Length: "
                  + body.length()
                  + "\r\n\r\n"
                  + body);
      assertTrue(put.isEmpty() || put.startsWith("HTTP/1.1 200 "), put);
      String got = response("GET /get/beside HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertTrue(got.isEmpty() || got.endsWith("{\"val\":\"value " + i + "\"}"), got);
      if (put.isEmpty() || got.isEmpty()) {
        return false;
      }
    }
    return true;
  }

  private String response(String request) throws IOException {
    try {
      send(request);
    } catch (IOException cut) {
      return "";
    }
    return readResponse();
  }

  /** Puts, and returns the response; an empty one if the connection is closed instead. */
  String put(String key, String value) throws IOException {
    try {
      send("PUT /v1/kv/" + key + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: ");
      send(value.length() + "\r\n\r\n" + value);
    } catch (IOException cut) {
      return "";
    }
    return readResponse();
  }

  /**
   * A whole response that has a Content-Length: it may come in pieces. What has come, if the
   * connection is closed instead.
   */
  String readResponse() throws IOException {
    StringBuilder all = new StringBuilder();
    while (!isWhole(all)) {
      String piece = read(READ_BYTES);
      if (piece.isEmpty()) {
        break;
      }
      all.append(piece);
    }
    return all.toString();
  }

  private static boolean isWhole(StringBuilder response) {
    int headEnd = response.indexOf("\r\n\r\n");
    if (headEnd < 0) {
      return false;
    }
    Matcher length = CONTENT_LENGTH.matcher(response.substring(0, headEnd));
    int bytes = length.find() ? Integer.parseInt(length.group(1)) : 0;
    return response.length() >= headEnd + 4 + bytes;
  }

  /** All that comes before the server closes. */
  String readToEnd() throws IOException {
    StringBuilder all = new StringBuilder();
    for (String piece = read(READ_BYTES); !piece.isEmpty(); piece = read(READ_BYTES)) {
      all.append(piece);
    }
    return all.toString();
  }

  /** Closes with a reset, so that the server finds an error where it looked for an end. */
  void reset() throws IOException {
    channel.setOption(StandardSocketOptions.SO_LINGER, 0);
    channel.close();
  }

  /** Sends nothing any more. */
  void endOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
