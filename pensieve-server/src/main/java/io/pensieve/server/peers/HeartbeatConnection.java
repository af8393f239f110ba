package io.pensieve.server.peers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sends heartbeats to one peer over a connection that stays open between them. Heartbeats are for
 * one thread; any thread may call {@link #close}.
 */
final class HeartbeatConnection implements AutoCloseable {
  static final long ANSWER_NANOS_MAX = MILLISECONDS.toNanos(500);
  static final long HANDSHAKE_NANOS_MAX = MILLISECONDS.toNanos(500);
  static final int HEAD_BYTES_MAX = 8 << 10;
  static final int BODY_BYTES_MAX = 64 << 10;

  /*
   * A plain socket with the part of HTTP/1.1 that one fixed request needs. Two clients were tried in
   * its place, on JDK 17 and two busy cores, with one deadline over all of a heartbeat:
   *
   *                                this class      java.net.http     UndertowClient
   *   first response               65 to 134 ms    528 to 845 ms     137 ms
   *   processor time until then    0.1 s           0.9 s             0.1 s
   *   head without an end          8 KiB read      384 KiB read      20 MiB read, and in the heap
   *   body without an end          cut off         35 MiB read       not tried
   *   20 peers: threads            26              49                not tried
   *   a second after the close     none left       23 left, sockets  not tried
   *
   * With java.net.http a starting node misses its first deadlines, and its peers consider it dead.
   * It cannot be closed on JDK 17: threads and sockets stay until a garbage collection. Its timeout
   * does not cover the body of a response.
   *
   * One deadline covers connecting, the TLS handshake, and every byte of the response. So neither a
   * hung peer nor one that sends byte by byte can block the thread. An incomplete response closes
   * the connection: the next heartbeat never reads the rest of this one.
   *
   * A connection that begins with a handshake has more time. The first handshake of a JVM costs the
   * most (measured on two busy cores: 375 ms, and 125 ms before it to load the trusted
   * certificates, where the first plain heartbeat took 64 ms; the second of either takes 5 ms). A
   * cluster that starts as a whole makes all of them at once, at both ends.
   *
   * Closing closes the socket below TLS. A proper TLS close would notify the peer, and wait if the
   * peer hangs; no data is left that it could protect.
   */
  private final boolean isTls;
  private final PeerTrust trust;
  private final long answerNanosMax;
  private final String host;
  private final int port;
  private final String authority;
  private final String body;
  private final Supplier<Optional<String>> secret;
  private final byte[] buffer = new byte[4 << 10];
  private int position;
  private int limit;
  // The socket below, or TLS over it.
  private @Nullable Socket open;
  private @Nullable SSLSocketFactory securedBy;

  private final Object lock = new Object(); // guards the two fields below
  private @Nullable DeadlineSocket socket;
  private boolean closed;

  HeartbeatConnection(URI url, long nodeId, Supplier<Optional<String>> secret, PeerTrust trust) {
    this(url, nodeId, secret, trust, ANSWER_NANOS_MAX);
  }

  HeartbeatConnection(
      URI url,
      long nodeId,
      Supplier<Optional<String>> secret,
      PeerTrust trust,
      long answerNanosMax) {
    isTls = "https".equalsIgnoreCase(url.getScheme());
    this.trust = trust;
    this.answerNanosMax = answerNanosMax;
    host = url.getHost();
    port = url.getPort() < 0 ? (isTls ? 443 : 80) : url.getPort();
    authority = url.getRawAuthority();
    body = "{\"node_id\":" + nodeId + "}";
    this.secret = secret;
  }

  /**
   * Sends a heartbeat and reads the response within {@link #ANSWER_NANOS_MAX}. A new TLS connection
   * has {@link #HANDSHAKE_NANOS_MAX} more. Resolving the host name takes additional time, and so
   * does the initialization of TLS, once.
   *
   * @return the id of the node that responded, if the response contains it
   * @throws IOException if there is no response, or its status is not a success
   */
  OptionalLong sendHeartbeat() throws IOException {
    boolean reusable = false;
    try {
      Socket connected = connect();
      connected.getOutputStream().write(request());
      position = 0;
      limit = 0;
      ResponseHead head = ResponseHead.of(readHead(connected));
      if (!head.isSuccess()) {
        throw new IOException("answered with status " + head.status());
      }
      reusable = skipBody(connected, head.bodyBytes());
      return head.nodeId();
    } finally {
      if (!reusable) {
        disconnect();
      }
    }
  }

  // Built for every heartbeat, because the secret may have been replaced.
  private byte[] request() {
    String authorization = secret.get().map(s -> "Authorization: Bearer " + s + "\r\n").orElse("");
    return ("POST /internal/heartbeat HTTP/1.1\r\n"
            + ("Host: " + authority + "\r\n")
            + authorization
            + "Content-Type: application/json\r\n"
            + ("Content-Length: " + body.length() + "\r\n\r\n")
            + body)
        .getBytes(ISO_8859_1);
  }

  private Socket connect() throws IOException {
    // Call this before the deadline starts, since the first call may take long.
    SSLSocketFactory securing = isTls ? trust.sockets() : null;
    Socket usable = reusable(securing);
    if (usable != null) {
      return usable;
    }
    disconnect();
    // Resolved for every connection: a restarted container may have another address.
    InetSocketAddress address = new InetSocketAddress(host, port);
    DeadlineSocket fresh = new DeadlineSocket();
    synchronized (lock) {
      if (closed) {
        throw new SocketException("closed");
      }
      socket = fresh;
    }
    fresh.allow(answerNanosMax + (isTls ? HANDSHAKE_NANOS_MAX : 0));
    fresh.connectInTime(address);
    fresh.setTcpNoDelay(true);
    usable = securing == null ? fresh : PeerTrust.secure(securing, fresh, host);
    open = usable;
    securedBy = securing;
    return usable;
  }

  /**
   * Returns the open connection if its trust is still current, with a new deadline; otherwise null.
   */
  private @Nullable Socket reusable(@Nullable SSLSocketFactory securing) {
    synchronized (lock) {
      if (socket == null || securedBy != securing) {
        return null;
      }
      socket.allow(answerNanosMax);
      return open;
    }
  }

  private List<String> readHead(Socket connected) throws IOException {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (int bytes = 0; bytes < HEAD_BYTES_MAX; bytes++) {
      char next = (char) (read(connected) & 0xff);
      if (next != '\n') {
        line.append(next);
        continue;
      }
      String text = line.toString().stripTrailing();
      if (text.isEmpty()) {
        return lines;
      }
      lines.add(text);
      line.setLength(0);
    }
    throw new IOException("the answer's head is longer than " + HEAD_BYTES_MAX + " bytes");
  }

  /** Returns whether the connection is at the end of the response, ready for another heartbeat. */
  private boolean skipBody(Socket connected, OptionalLong bodyBytes) throws IOException {
    if (bodyBytes.isEmpty() || bodyBytes.getAsLong() > BODY_BYTES_MAX) {
      return false;
    }
    for (long left = bodyBytes.getAsLong(); left > 0; left--) {
      read(connected);
    }
    return position == limit;
  }

  private byte read(Socket connected) throws IOException {
    if (position == limit) {
      limit = connected.getInputStream().read(buffer);
      position = 0;
      if (limit < 0) {
        limit = 0;
        throw new EOFException("the peer closed the connection");
      }
    }
    return buffer[position++];
  }

  private void disconnect() throws IOException {
    synchronized (lock) {
      if (socket != null) {
        socket.close();
        socket = null;
      }
    }
  }

  /** Ends a heartbeat in progress, and rejects later ones. */
  @Override
  public void close() throws IOException {
    synchronized (lock) {
      closed = true;
      disconnect();
    }
  }
}
