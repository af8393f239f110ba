package io.pensieve.server.replication;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Whether a member's engine listens. */
final class RaftPort {
  private static final int CONNECT_MILLIS = 1_000;
  private static final long POLL_MILLIS = 50;

  private RaftPort() {}

  /**
   * Waits until somebody accepts connections there.
   *
   * @throws IOException if nobody does in time
   */
  static void awaitListening(String host, int port, Duration patience)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(host, port), CONNECT_MILLIS);
        return;
      } catch (IOException notYet) {
        if (System.nanoTime() - end > 0) {
          throw new IOException("nobody listens at the Raft port " + host + ":" + port, notYet);
        }
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
  }
}
