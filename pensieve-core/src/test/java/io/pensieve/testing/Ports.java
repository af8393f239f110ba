package io.pensieve.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;

/**
 * Ports of loopback for servers that must know theirs before they start, or come back to it. Each
 * process of tests has a range of its own, below the ports that systems give to clients: between
 * this look at a port and its server's start nobody takes it. Modules are tested side by side: the
 * property {@code pensieve.ports} is where the ranges of a module begin. Surefire numbers the
 * processes of all modules that run at a time.
 */
public final class Ports {
  private static final int FIRST = Integer.getInteger("pensieve.ports", 10_000);
  private static final int RANGE = 500;
  private static final int RANGES = 9;

  /** Where Linux begins to give ports to clients; macOS and Windows begin higher. */
  private static final int FIRST_OF_CLIENTS = 32_768;

  private static final int OF_FORK = FIRST + RANGE * (fork() % RANGES);

  private static int taken = new Random().nextInt(RANGE);

  static {
    if (FIRST + RANGE * RANGES > FIRST_OF_CLIENTS) {
      throw new AssertionError("pensieve.ports: ranges from " + FIRST + " reach those of clients");
    }
  }

  private Ports() {}

  // Forks are numbered from 1.
  private static int fork() {
    int fork = Integer.getInteger("pensieve.fork", 0);
    return fork > 0 ? fork - 1 : (int) (ProcessHandle.current().pid() % RANGES);
  }

  /** Takes one. */
  public static int take() {
    return take(1);
  }

  /** Takes so many, one after another, and returns the first. */
  public static synchronized int take(int count) {
    int first;
    do {
      taken = taken + count < RANGE ? taken + count : count;
      first = OF_FORK + taken - count;
    } while (!areFree(first, count));
    return first;
  }

  private static boolean areFree(int first, int count) {
    for (int port = first; port < first + count; port++) {
      try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        assert probe.isBound();
      } catch (IOException inUse) {
        return false;
      }
    }
    return true;
  }

  /** A port where nobody listens, and nobody else can until this is closed. */
  public static Socket dead() throws IOException {
    Socket bound = new Socket();
    bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    return bound;
  }
}
