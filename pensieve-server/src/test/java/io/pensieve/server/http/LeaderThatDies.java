package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.util.concurrent.atomic.AtomicInteger;

/** Reads a request to its end, and closes the connection, perhaps with a response. */
final class LeaderThatDies implements AutoCloseable {
  final AtomicInteger requests = new AtomicInteger();
  private final ServerSocket socket = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
  private final String response;
  private final Thread thread = new Thread(this::accept);

  LeaderThatDies() throws IOException {
    this("");
  }

  LeaderThatDies(String response) throws IOException {
    this.response = response;
    thread.setDaemon(true);
    thread.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort());
  }

  private void accept() {
    try {
      while (true) {
        try (Socket client = socket.accept()) {
          StringBuilder request = new StringBuilder();
          while (!request.toString().matches("(?s)(GET|DELETE) .*\r\n\r\n|.*\r\n\r\nv")) {
            int next = client.getInputStream().read();
            if (next < 0) {
              throw new EOFException("the request is cut off");
            }
            request.append((char) next);
          }
          requests.incrementAndGet();
          client.getOutputStream().write(response.getBytes(UTF_8));
        } catch (SocketException | EOFException cut) {
          if (socket.isClosed()) {
            return;
          }
        }
      }
    } catch (IOException closed) {
      return;
    }
  }

  @Override
  public void close() throws IOException {
    socket.close(); // which ends the thread
  }
}
