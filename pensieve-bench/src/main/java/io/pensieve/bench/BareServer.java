package io.pensieve.bench;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSourceChannel;

/**
 * Question: how fast can a server on Undertow be at all? It answers every GET with the same value,
 * and every other request with {@code {"status":"ok"}} when it has read the body and thrown it
 * away. It looks at no path, keeps nothing, and has Undertow's settings for speed as Pensieve's
 * server.
 *
 * <pre>java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.BareServer port=7900</pre>
 *
 * <p>Runs until it is killed. {@code http-table.sh} measures it beside Pensieve's server.
 */
public final class BareServer implements AutoCloseable {
  /** How long the value is that {@code http-put.lua} puts. */
  private static final int VALUE_CHARS = 100;

  private static final byte[] VALUE = json("{\"val\":\"" + "v".repeat(VALUE_CHARS) + "\"}");
  private static final byte[] OK = json("{\"status\":\"ok\"}");

  private final Undertow server;

  /**
   * Starts to listen on this machine only.
   *
   * @param port 0 picks a free one
   */
  BareServer(int port) {
    server =
        Undertow.builder()
            .addHttpListener(port, "127.0.0.1")
            .setIoThreads(Math.max(Runtime.getRuntime().availableProcessors(), 2))
            .setServerOption(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
            .setHandler(BareServer::handle)
            .build();
    server.start();
  }

  /** Serves until it is killed. */
  public static void main(String... arguments) {
    int port = Integer.parseInt(Options.of(arguments).getOrDefault("port", "7900"));
    System.out.println("listening on " + new BareServer(port).address());
  }

  private static byte[] json(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  InetSocketAddress address() {
    return (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
  }

  private static void handle(HttpServerExchange exchange) throws IOException {
    if (exchange.getRequestMethod().equals(Methods.GET)) {
      answer(exchange, VALUE);
      return;
    }
    StreamSourceChannel body = exchange.getRequestChannel();
    if (body == null || isRead(exchange, body)) {
      answer(exchange, OK);
    } else {
      body.getReadSetter().set(channel -> readOn(exchange, channel));
      exchange.dispatch(SameThreadExecutor.INSTANCE, body::resumeReads);
    }
  }

  private static void readOn(HttpServerExchange exchange, StreamSourceChannel body) {
    try {
      if (isRead(exchange, body)) {
        body.suspendReads();
        answer(exchange, OK);
      }
    } catch (IOException clientGone) {
      IoUtils.safeClose(exchange.getConnection());
    }
  }

  private static boolean isRead(HttpServerExchange exchange, StreamSourceChannel body)
      throws IOException {
    try (PooledByteBuffer pooled = exchange.getConnection().getByteBufferPool().allocate()) {
      ByteBuffer buffer = pooled.getBuffer();
      int read;
      do {
        buffer.clear();
        read = body.read(buffer);
      } while (read > 0);
      return read < 0;
    }
  }

  private static void answer(HttpServerExchange exchange, byte[] body) {
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/json");
    exchange.getResponseSender().send(ByteBuffer.wrap(body));
  }

  @Override
  public void close() {
    server.stop();
  }
}
