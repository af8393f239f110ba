package io.pensieve.server.client;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * One connection that sends one request after the other, and does as little else as possible: a
 * load should show what the server takes, not its client. For one thread.
 */
public final class KeepAliveConnection implements Closeable {
  private static final int PATIENCE_MILLIS = 30_000;
  private static final int LINE_BYTES_MAX = 16 << 10;
  private static final int HTTP_PORT = 80;
  private static final int HTTPS_PORT = 443;

  private final Socket socket;
  private final InputStream in;
  private final byte[] line = new byte[LINE_BYTES_MAX];

  private KeepAliveConnection(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
  }

  static KeepAliveConnection to(URI server, Optional<SSLContext> trust) throws IOException {
    boolean isTls = "https".equals(server.getScheme());
    int port = server.getPort() >= 0 ? server.getPort() : isTls ? HTTPS_PORT : HTTP_PORT;
    Socket plain = new Socket();
    try {
      plain.setTcpNoDelay(true);
      plain.setSoTimeout(PATIENCE_MILLIS);
      plain.connect(new InetSocketAddress(server.getHost(), port), PATIENCE_MILLIS);
      return new KeepAliveConnection(isTls ? encrypted(plain, server, port, trust) : plain);
    } catch (IOException | RuntimeException refused) {
      plain.close();
      throw refused;
    }
  }

  private static Socket encrypted(Socket plain, URI server, int port, Optional<SSLContext> trust)
      throws IOException {
    try {
      SSLContext context = trust.isPresent() ? trust.get() : SSLContext.getDefault();
      SSLSocket tls =
          (SSLSocket) context.getSocketFactory().createSocket(plain, server.getHost(), port, true);
      SSLParameters checked = tls.getSSLParameters();
      checked.setEndpointIdentificationAlgorithm("HTTPS");
      tls.setSSLParameters(checked);
      tls.startHandshake();
      return tls;
    } catch (java.security.NoSuchAlgorithmException noTls) {
      throw new IOException(noTls);
    }
  }

  /**
   * Sends a whole request, reads the whole response and drops its body.
   *
   * @return the status
   * @throws IOException if the connection is of no use any more
   */
  public int exchange(byte[] request) throws IOException {
    socket.getOutputStream().write(request);
    String status = readLine();
    if (!status.startsWith("HTTP/1.1 ") || status.length() < 12) {
      throw new IOException("no response of HTTP/1.1");
    }
    long length = 0;
    for (String field = readLine(); !field.isEmpty(); field = readLine()) {
      String lower = field.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Long.parseLong(lower.substring("content-length:".length()).strip());
      } else if (lower.startsWith("transfer-encoding:")) {
        throw new IOException("a response without a length");
      }
    }
    in.skipNBytes(length);
    return Integer.parseInt(status.substring(9, 12));
  }

  private String readLine() throws IOException {
    int length = 0;
    for (int one = in.read(); one != '\n'; one = in.read()) {
      if (one < 0) {
        throw new EOFException("the connection was closed");
      }
      if (length == line.length) {
        throw new IOException("a response whose head does not end");
      }
      line[length++] = (byte) one;
    }
    return new String(line, 0, Math.max(0, length - 1), US_ASCII);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
