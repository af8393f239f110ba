package io.pensieve.server.http.changes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.json.LazyBytes;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An event stream by itself: whoever tells it something says when. */
final class EventStreamTest {
  private final BlockingQueue<EventStream> streams = new LinkedBlockingQueue<>();
  private final Undertow server =
      Undertow.builder()
          .addHttpListener(0, "127.0.0.1")
          .setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, 60_000)
          .setHandler(this::begin)
          .build();

  private void begin(HttpServerExchange exchange) {
    exchange.dispatch(
        SameThreadExecutor.INSTANCE,
        () -> streams.add(new EventStream(exchange, 1 << 20, () -> {})));
  }

  @BeforeEach
  void start() {
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop();
  }

  @Test
  void idsNeverGoBack() throws Exception {
    int port = ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
      client.setSoTimeout(60_000);
      client
          .getOutputStream()
          .write(
              "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
                  .getBytes(StandardCharsets.UTF_8));
      EventStream stream = streams.poll(2, TimeUnit.MINUTES);
      assertTrue(stream != null, "the stream begins");
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
      List<String> ids = new ArrayList<>();

      // Whoever tells an event says afterwards how far he has come, so pings may ask in between.
      stream.markEvery(1, () -> 7);
      stream.mark(7);
      stream.push(event(8), 8);
      stream.offer(event(10), 10);
      readIds(lines, ids, 6);
      stream.endWithMark(7);
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        addId(line, ids);
      }
      List<Long> numbers = ids.stream().map(Long::parseLong).toList();
      assertTrue(numbers.containsAll(List.of(7L, 8L, 10L)), () -> "" + numbers);
      assertEquals(numbers.stream().sorted().toList(), numbers);
    }
  }

  private static void readIds(BufferedReader lines, List<String> ids, int count) throws Exception {
    while (ids.size() < count) {
      addId(String.valueOf(lines.readLine()), ids);
    }
  }

  private static void addId(String line, List<String> ids) {
    if (line.startsWith("id: ")) {
      ids.add(line.substring(4));
    }
  }

  private static SharedEventBytes event(long id) {
    String text = "id: " + id + "\ndata: x\n\n";
    return SharedEventBytes.uncounted(LazyBytes.of(text.getBytes(StandardCharsets.UTF_8)));
  }
}
