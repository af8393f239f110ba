package io.pensieve.server.http;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A connection that sends just the bytes it is told to: what HTTP libraries would not do. */
public final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 120_000;
  private static final int NARROW_BYTES = 4096;

  private final Socket socket = new Socket();
  private final InputStream in;

  public RawClient(InetSocketAddress server) throws IOException {
    this(server, 0);
  }

  /** Connects with so little room for what comes that a server soon cannot send. */
  static RawClient narrow(InetSocketAddress server) throws IOException {
    return new RawClient(server, NARROW_BYTES);
  }

  private RawClient(InetSocketAddress server, int receiveBytes) throws IOException {
    if (receiveBytes > 0) {
      socket.setReceiveBufferSize(receiveBytes); // of use before it connects
    }
    socket.connect(server, PATIENCE_MILLIS);
    socket.setSoTimeout(PATIENCE_MILLIS);
    socket.setTcpNoDelay(true);
    in = new BufferedInputStream(socket.getInputStream());
  }

  /** An answer, with the version of HTTP that it claims; header names are in lower case. */
  public record Response(String version, int status, Map<String, String> headers, String body) {
    public String header(String name) {
      return headers.getOrDefault(name, "");
    }
  }

  public RawClient send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** Sends nothing any more, but reads on. */
  void endOutput() throws IOException {
    socket.shutdownOutput();
  }

  /** Sends a request without a body. */
  public RawClient request(String method, String target) throws IOException {
    return send(method + " " + target + " HTTP/1.1\r\nHost: test\r\n\r\n");
  }

  /** The next answer, whose length is told by Content-Length. */
  public Response receive() throws IOException {
    return receive(true);
  }

  /** The next answer, of a HEAD request: it tells a length, but has no body. */
  Response receiveWithoutBody() throws IOException {
    return receive(false);
  }

  /**
   * The next answer, if it begins within so many milliseconds.
   *
   * @throws java.net.SocketTimeoutException if it does not
   */
  Response receiveWithin(int millis) throws IOException {
    socket.setSoTimeout(millis);
    try {
      return receive();
    } finally {
      socket.setSoTimeout(PATIENCE_MILLIS);
    }
  }

  private Response receive(boolean withBody) throws IOException {
    String statusLine = line();
    Map<String, String> headers = new TreeMap<>();
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    int length = withBody ? Integer.parseInt(headers.getOrDefault("content-length", "0")) : 0;
    String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
    String version = statusLine.substring(0, 8);
    return new Response(version, Integer.parseInt(statusLine.substring(9, 12)), headers, body);
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("closed after: " + line.toString(StandardCharsets.UTF_8));
      }
      if (b != '\r') {
        line.write(b);
      }
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  /** All that comes until the server closes, which it does without a reset. */
  String receiveToEnd() throws IOException {
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }

  /** Waits for the first byte that is there to read, and drops it. */
  void awaitFirstByte() throws IOException {
    if (in.read() < 0) {
      throw new EOFException("closed");
    }
  }

  /** How many bytes come until the server closes, or resets the connection. */
  long countToEnd() throws IOException {
    long count = 0;
    try {
      while (in.read() >= 0) {
        count++;
      }
    } catch (SocketException reset) {
      return count;
    }
    return count;
  }

  /** Waits for the server to close the connection; what it sends before that is dropped. */
  void awaitClosed() throws IOException {
    try {
      long unused = in.transferTo(OutputStream.nullOutputStream());
    } catch (SocketException reset) {
      return;
    }
  }

  /** Closes with a reset, so that the server finds an error where it looked for an end. */
  void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
