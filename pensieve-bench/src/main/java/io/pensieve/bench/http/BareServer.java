package io.pensieve.bench.http;

import io.pensieve.bench.Options;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSourceChannel;

/**
 * Question: how fast can a server on Undertow be at all? It answers every GET with the same value,
 * and every other request with {@code {"status":"ok"}}. It looks at no path, keeps nothing, and has
 * Undertow's settings for speed as Pensieve's server. There are two handlers:
 *
 * <ul>
 *   <li>{@code bare} reads the body before it answers, and names the type of its answer.
 *   <li>{@code barest} does nothing but answer. Undertow itself drops the body, and adds the length
 *       and the date.
 * </ul>
 *
 * <pre>java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.http.BareServer port=7900
 *     handler=barest</pre>
 *
 * <p>Runs until it is killed. {@code http-table.sh} measures it beside Pensieve's server.
 */
public final class BareServer implements AutoCloseable {
  /** How long the value is that {@code http-put.lua} puts. */
  private static final int VALUE_CHARS = 100;

  private static final byte[] VALUE = json("{\"val\":\"" + "v".repeat(VALUE_CHARS) + "\"}");
  private static final byte[] OK = json("{\"status\":\"ok\"}");

  /** What it does with a request. */
  enum Handler {
    /** Reads the body, then answers with a content type. */
    BARE,
    /** Answers, and nothing else. */
    BAREST;

    private HttpHandler code() {
      return this == BARE ? BareServer::handle : BareServer::answerAtOnce;
    }
  }

  private final Undertow server;

  /**
   * Starts to listen on this machine only.
   *
   * @param port 0 picks a free one
   */
  BareServer(int port, Handler handler) {
    server =
        Undertow.builder()
            .addHttpListener(port, "127.0.0.1")
            .setIoThreads(Math.max(Runtime.getRuntime().availableProcessors(), 2))
            .setServerOption(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
            .setHandler(handler.code())
            .build();
    server.start();
  }

  /** Serves until it is killed. */
  public static void main(String... arguments) {
    Map<String, String> options = Options.of(arguments);
    int port = Integer.parseInt(options.getOrDefault("port", "7900"));
    String handler = options.getOrDefault("handler", "bare").toUpperCase(Locale.ROOT);
    System.out.println("listening on " + new BareServer(port, Handler.valueOf(handler)).address());
  }

  private static byte[] json(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  InetSocketAddress address() {
    return (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
  }

  private static void answerAtOnce(HttpServerExchange exchange) {
    byte[] body = exchange.getRequestMethod().equals(Methods.GET) ? VALUE : OK;
    exchange.getResponseSender().send(ByteBuffer.wrap(body));
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
