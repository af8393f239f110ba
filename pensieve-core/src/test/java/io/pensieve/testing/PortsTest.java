package io.pensieve.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.Test;

class PortsTest {
  private static final int PORTS_OF_A_RANGE = 500;

  @Test
  void portsOfOneProcessAreFreeAndDifferAndAreOfOneRange() throws IOException {
    int first = Ports.take(3);
    int next = Ports.take();
    assertEquals(first / PORTS_OF_A_RANGE, next / PORTS_OF_A_RANGE);
    for (int port = first; port < first + 3; port++) {
      assertNotEquals(next, port);
      listenOn(port).close();
    }
  }

  @Test
  void aPortInUseIsPassedOver() throws IOException {
    int inUse = Ports.take();
    try (ServerSocket other = listenOn(inUse)) {
      for (int i = 0; i < PORTS_OF_A_RANGE; i++) { // so that each port's turn comes
        assertNotEquals(other.getLocalPort(), Ports.take());
      }
    }
  }

  @Test
  void nobodyListensAtADeadPort() throws IOException {
    try (Socket dead = Ports.dead()) {
      int port = dead.getLocalPort();
      assertThrows(
          ConnectException.class, () -> new Socket(InetAddress.getLoopbackAddress(), port));
    }
  }

  private static ServerSocket listenOn(int port) throws IOException {
    return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
  }
}
