package io.pensieve.server.replication;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class RaftPortTest {
  private static final String HOST = InetAddress.getLoopbackAddress().getHostAddress();

  @Test
  void whoeverListensLaterIsWaitedFor() throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    int port = freePort();
    try (ServerSocket later = new ServerSocket()) {
      Future<?> waiting =
          thread.submit(
              () -> {
                RaftPort.awaitListening(HOST, port, Duration.ofMinutes(1));
                return null;
              });
      TimeUnit.MILLISECONDS.sleep(200); // so that the first attempt fails, mostly
      later.bind(new InetSocketAddress(HOST, port));
      waiting.get();
    } finally {
      thread.shutdownNow();
    }
  }

  @Test
  void whoNeverListensIsNamed() throws Exception {
    int port = freePort();
    IOException refused =
        assertThrows(
            IOException.class, () -> RaftPort.awaitListening(HOST, port, Duration.ofMillis(1)));
    assertTrue(String.valueOf(refused.getMessage()).contains(HOST + ":" + port));
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
      return free.getLocalPort();
    }
  }
}
