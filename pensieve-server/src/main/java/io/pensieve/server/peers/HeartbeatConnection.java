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
 * Sends beats to one peer over a connection that stays open between them. Beats are for one thread;
 * {@link #close} is for any.
 */
final class HeartbeatConnection implements AutoCloseable {
  static final long ANSWER_NANOS_MAX = MILLISECONDS.toNanos(500);
  static final long HANDSHAKE_NANOS_MAX = MILLISECONDS.toNanos(500);
  static final int HEAD_BYTES_MAX = 8 << 10;
  static final int BODY_BYTES_MAX = 64 << 10;

  /*
   * A plain socket, and as much of HTTP/1.1 as one fixed question needs. The JDK's own client costs
   * a starting node half a second of processor time before its first beat (measured: 635 ms until
   * the first answer, against 18 ms for this), which is time in which peers still think the node
   * dead; on JDK 17 it cannot be closed; and its timeout does not cover the body of an answer.
   *
   * One deadline covers connecting, the handshake of TLS, and every byte of the answer, so that
   * neither a hung peer nor one that drips can hold the thread. Whatever is not a complete answer
   * ends the connection: the next beat never reads what is left of this one.
   *
   * A connection that begins with a handshake has more time. The first one of a JVM costs the most
   * (measured on two busy cores: 375 ms, and 125 ms before it for what is trusted, where the first
   * plain beat took 64 ms; the second of either takes 5 ms), and a cluster that starts as a whole
   * makes all of them at once, at both ends.
   *
   * The connection is ended at the bytes below TLS. A proper end of TLS would tell the peer, and
   * wait for it where it hangs; it has nothing left to lose.
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
  private @Nullable Socket open; // what is spoken over: the socket below, or TLS over it
  private @Nullable SSLSocketFactory securedBy;

  private final Object lock = new Object(); // guards the two below
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
   * Sends a beat and reads the answer, all within {@link #ANSWER_NANOS_MAX}, on a new connection
   * over TLS {@link #HANDSHAKE_NANOS_MAX} more. Looking up the host's name comes on top, and making
   * ready for the first TLS of all.
   *
   * @return who answered, if it said so
   * @throws IOException if there is no answer, or one that is not a success
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

  // Made anew for every beat, since the secret may have been replaced.
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
    // Before the time begins to run, since the first to ask may wait long.
    SSLSocketFactory securing = isTls ? trust.sockets() : null;
    Socket usable = reusable(securing);
    if (usable != null) {
      return usable;
    }
    disconnect();
    // Looked up anew every time: a container that is back may have another address.
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

  /** The connection there is, if it is still to be trusted, with time for another beat. */
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

  /** Whether the connection is then at the end of the answer, ready for another beat. */
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

  /** Ends a beat that is under way, and refuses others. */
  @Override
  public void close() throws IOException {
    synchronized (lock) {
      closed = true;
      disconnect();
    }
  }
}
