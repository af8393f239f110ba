package io.pensieve.server.peers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ServerSocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;

/** A peer on a socket of its own, which answers every beat with whatever bytes it is told to. */
final class LoopbackPeer implements Closeable {
  /** How to answer; closes the connection if it throws. */
  interface Reply {
    void to(OutputStream out) throws IOException, InterruptedException;
  }

  private final ServerSocket listener;
  private final String scheme;
  private final Reply reply;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final List<List<String>> connections = new CopyOnWriteArrayList<>();
  private final List<String> beats = new CopyOnWriteArrayList<>();

  LoopbackPeer(Reply reply) throws IOException {
    this(0, reply);
  }

  LoopbackPeer(int port, Reply reply) throws IOException {
    this(ServerSocketFactory.getDefault(), "http", port, reply);
  }

  /** One that speaks these versions of TLS. */
  LoopbackPeer(SSLContext tls, Reply reply, String... versions) throws IOException {
    this(tls.getServerSocketFactory(), "https", 0, reply);
    ((SSLServerSocket) listener).setEnabledProtocols(versions);
  }

  private LoopbackPeer(ServerSocketFactory sockets, String scheme, int port, Reply reply)
      throws IOException {
    this.listener = sockets.createServerSocket(port, 50, InetAddress.getLoopbackAddress());
    this.scheme = scheme;
    this.reply = reply;
    new Thread(this::accept, "loopback-peer").start();
  }

  static Reply bytes(String text) {
    return out -> out.write(text.getBytes(ISO_8859_1));
  }

  static Reply okFrom(long nodeId) {
    String body = "{\"status\":\"ok\",\"node_id\":1}";
    return bytes(
        "HTTP/1.1 200 OK\r\nPensieve-Node-Id: %d\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(nodeId, body.length(), body));
  }

  URI url() {
    return url(scheme);
  }

  /** Where it is thought to be by who thinks that it speaks that. */
  URI url(String thought) {
    return URI.create(thought + "://localhost:" + port());
  }

  int port() {
    return listener.getLocalPort();
  }

  int connections() {
    return connections.size();
  }

  /** The beats of each connection so far. */
  List<List<String>> beatsByConnection() {
    return connections;
  }

  /** Every request so far, head and body. */
  List<String> beats() {
    return beats;
  }

  private void accept() {
    while (true) {
      try {
        Socket socket = listener.accept();
        open.add(socket);
        List<String> ofThisConnection = new CopyOnWriteArrayList<>();
        connections.add(ofThisConnection);
        new Thread(() -> serve(socket, ofThisConnection), "loopback-peer").start();
        if (listener.isClosed()) {
          socket.close();
        }
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket socket, List<String> ofThisConnection) {
    try (socket) {
      while (true) {
        String beat = request(socket.getInputStream());
        beats.add(beat);
        ofThisConnection.add(beat);
        reply.to(socket.getOutputStream());
      }
    } catch (IOException | InterruptedException over) {
      open.remove(socket);
    }
  }

  private static String request(InputStream in) throws IOException {
    StringBuilder text = new StringBuilder();
    while (text.indexOf("\r\n\r\n") < 0) {
      text.append(next(in));
    }
    String length = text.substring(text.indexOf("Content-Length: ") + 16);
    for (int i = Integer.parseInt(length.substring(0, length.indexOf('\r'))); i > 0; i--) {
      text.append(next(in));
    }
    return text.toString();
  }

  private static char next(InputStream in) throws IOException {
    int read = in.read();
    if (read < 0) {
      throw new IOException("the beating node hung up");
    }
    return (char) read;
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
