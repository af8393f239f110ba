package io.pensieve.bench.http;

import io.pensieve.bench.Options;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * Question: what do a server's other clients feel of ten thousand connections that say nothing, and
 * of a flood of bad ones? Opens the idle connections and keeps them; then opens others, so many a
 * second, each of which does one of three things and is closed: sends half a header, claims a body
 * of two gigabytes, or sends more header than a server should take.
 *
 * <pre>
 * java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.http.HostileConnections \
 *     port=7900 idle=10000 perSecond=500
 * </pre>
 *
 * <p>Says {@code ready} when the idle ones are open, and runs until it is killed. Needs as many
 * open files ({@code ulimit -n}), and ports: less than the 28,000 that a Linux has by default.
 */
public final class HostileConnections implements AutoCloseable {
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final List<byte[]> ATTACKS =
      List.of(
          bytes("GET /get/key HTTP/1.1\r\nHost: ho"),
          bytes(
              "POST /put HTTP/1.1\r\nHost: host\r\nContent-Type: application/json\r\n"
                  + "Content-Length: 2000000000\r\n\r\n{\"key\":"),
          bytes("GET / HTTP/1.1\r\nHost: host\r\nX: " + "x".repeat(64 << 10) + "\r\n\r\n"));

  private final InetSocketAddress target;
  private final List<SocketChannel> idle = new ArrayList<>();

  HostileConnections(InetSocketAddress target) {
    this.target = target;
  }

  /** Runs until it is killed. */
  public static void main(String... arguments) throws IOException {
    Map<String, String> options = Options.of(arguments);
    int port = Integer.parseInt(options.getOrDefault("port", "7900"));
    HostileConnections hostileConnections =
        new HostileConnections(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    hostileConnections.openIdle(Integer.parseInt(options.getOrDefault("idle", "10000")));
    System.out.println("ready: " + hostileConnections.idle() + " idle connections");
    long perSecond = Long.parseLong(options.getOrDefault("perSecond", "500"));
    if (perSecond > 0) {
      hostileConnections.flood(perSecond, Long.MAX_VALUE);
    }
    while (true) {
      LockSupport.park(hostileConnections);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  void openIdle(int connections) throws IOException {
    for (int i = 0; i < connections; i++) {
      idle.add(connect());
    }
  }

  // Whichever way it is closed, no port is left waiting for a minute: there are but some 28,000.
  private SocketChannel connect() throws IOException {
    SocketChannel channel = SocketChannel.open();
    channel.setOption(StandardSocketOptions.SO_LINGER, 0);
    channel.connect(target);
    return channel;
  }

  /** How many of the idle connections are open on this side. */
  long idle() {
    return idle.stream().filter(SocketChannel::isConnected).count();
  }

  /** Attacks so many times, at so many a second. */
  void flood(long perSecond, long attacks) {
    long start = System.nanoTime();
    for (long attack = 0; attack < attacks; attack++) {
      long due = start + attack * (NANOS_PER_SECOND / perSecond);
      for (long left; (left = due - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(left);
      }
      attack(ATTACKS.get((int) (attack % ATTACKS.size())));
    }
  }

  // Does not wait for an answer. What the server does with it, the others feel.
  private void attack(byte[] bytes) {
    try (SocketChannel channel = connect()) {
      channel.configureBlocking(false);
      channel.write(ByteBuffer.wrap(bytes));
    } catch (IOException refused) {
      // That is what a server may do.
    }
  }

  @Override
  public void close() throws IOException {
    for (SocketChannel channel : idle) {
      channel.close();
    }
  }
}
