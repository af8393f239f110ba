package io.pensieve.server.http.protocol;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.changes.EventStream;
import io.pensieve.server.http.changes.SharedEventBytes;
import io.pensieve.server.http.json.LazyBytes;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xnio.channels.StreamSourceChannel;

/**
 * Whoever takes what is sent more slowly than the minimal rate is cut off. Nothing else cuts a
 * client off here: this server has no timeout of writing.
 */
@Timeout(300)
final class MinimumTransferRateTest {
  private static final int PERIOD_MILLIS = 1_200; // a reader on a busy machine rests for as long
  private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(PERIOD_MILLIS);
  private static final int PERIODS = 2;
  private static final int ATTEMPTS_MAX = 10;
  private static final int PIECE_BYTES = 4 << 20; // sockets tell the server of that, not of less
  private static final int LONG_BYTES = 16 << 20; // more than sockets take
  private static final int BODY_BYTES = 10_000;
  private static final int NARROW_BYTES = 4 << 10;

  private volatile CountDownLatch complete = new CountDownLatch(1); // of the last exchange
  private final BlockingQueue<EventStream> streams = new LinkedBlockingQueue<>();
  private Consumer<HttpServerExchange> answer = HttpServerExchange::endExchange;
  private final Undertow server =
      Undertow.builder()
          .addHttpListener(0, "127.0.0.1")
          .setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, PERIOD_MILLIS)
          .setHandler(this::handle)
          .build();

  private void handle(HttpServerExchange exchange) {
    CountDownLatch ofThisOne = complete;
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          ofThisOne.countDown();
          next.proceed();
        });
    exchange.dispatch(SameThreadExecutor.INSTANCE, () -> answer.accept(exchange));
  }

  @BeforeEach
  void start() {
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop();
  }

  private Socket ask(Consumer<HttpServerExchange> answering) throws Exception {
    return ask("GET / HTTP/1.1\r\nHost: test\r\n\r\n", answering);
  }

  private Socket ask(String request, Consumer<HttpServerExchange> answering) throws Exception {
    answer = answering;
    complete = new CountDownLatch(1);
    int port = ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    Socket client = new Socket();
    client.setReceiveBufferSize(NARROW_BYTES);
    client.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    client.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    return client;
  }

  private EventStream begun() throws Exception {
    EventStream stream = streams.poll(2, TimeUnit.MINUTES);
    assertTrue(stream != null, "the stream begins");
    return stream;
  }

  private void beginStream(HttpServerExchange exchange) {
    streams.add(new EventStream(exchange, LONG_BYTES, () -> {}));
  }

  private static SharedEventBytes event(int bytes) {
    return SharedEventBytes.uncounted(LazyBytes.of(new byte[bytes]));
  }

  @Test
  void whoDoesNotTakeAnAnswerIsCutOff() throws Exception {
    try (Socket client = ask(e -> LargeBodySender.send(e, ByteBuffer.allocate(LONG_BYTES)))) {
      complete.await();
      assertTrue(client.getInputStream().readAllBytes().length < LONG_BYTES);
    }
  }

  @Test
  void aStallOfTheServersOwnIsNotHeldAgainstTheClient() throws Exception {
    repeatUnlessTooSlow(
        () -> {
          CountDownLatch stalled = new CountDownLatch(1);
          String request = "PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: " + BODY_BYTES;
          try (Socket client =
              ask(
                  request + "\r\n\r\n",
                  exchange -> {
                    readWhole(exchange);
                    exchange.getIoThread().execute(() -> stall(stalled));
                  })) {
            stalled.await();
            long stalledNanos = System.nanoTime();
            client.getOutputStream().write(new byte[BODY_BYTES]);
            boolean isInTime = System.nanoTime() - stalledNanos < PERIOD_NANOS;
            String status =
                new String(client.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
            assertTrue(status.equals("HTTP/1.1 200") || !isInTime, status);
            return isInTime;
          }
        });
  }

  private static void stall(CountDownLatch stalled) {
    stalled.countDown();
    try {
      Thread.sleep(PERIOD_MILLIS * 3 / 2);
    } catch (InterruptedException nobodyInterrupts) {
      throw new IllegalStateException(nobodyInterrupts);
    }
  }

  private static void readWhole(HttpServerExchange exchange) {
    AtomicLong bytes = new AtomicLong();
    MinimumTransferRate rate = new MinimumTransferRate(exchange, bytes::get);
    rate.expect();
    StreamSourceChannel body = exchange.getRequestChannel();
    ByteBuffer buffer = ByteBuffer.allocate(BODY_BYTES);
    body.getReadSetter()
        .set(
            channel -> {
              try {
                bytes.addAndGet(Math.max(0, channel.read(buffer)));
              } catch (IOException cut) {
                throw new UncheckedIOException(cut);
              }
              if (!buffer.hasRemaining()) {
                channel.suspendReads();
                exchange.endExchange();
              }
            });
    body.resumeReads();
  }

  @Test
  void whoDoesNotTakeEventsIsCutOff() throws Exception {
    try (Socket client = ask(this::beginStream)) {
      begun().push(event(LONG_BYTES), 1);
      complete.await();
      assertTrue(client.getInputStream().readAllBytes().length < LONG_BYTES);
    }
  }

  /**
   * Reads, and notes how long it took from one read to the next at most. A client that is cut off
   * was slow itself on a busy machine, or the test fails.
   */
  private static final class Reader {
    private final InputStream in;
    private long lastNanos = System.nanoTime();
    private long longestNanos;

    Reader(Socket client) throws IOException {
      in = client.getInputStream();
    }

    /** Whether so many bytes came. If not, this reader was too slow. */
    boolean hasRead(int bytes) {
      byte[] piece = new byte[64 << 10];
      try {
        for (int left = bytes; left > 0; ) {
          int count = in.read(piece, 0, Math.min(piece.length, left));
          long now = System.nanoTime();
          longestNanos = Math.max(longestNanos, now - lastNanos);
          lastNanos = now;
          if (count < 0) {
            return wasCutOffForIt();
          }
          left -= count;
        }
        return true;
      } catch (IOException cut) {
        return wasCutOffForIt();
      }
    }

    /** What it rested so far does not count: nothing was expected of it. */
    void forgetRest() {
      lastNanos = System.nanoTime();
    }

    private boolean wasCutOffForIt() {
      assertTrue(longestNanos > PERIOD_NANOS, "cut off, and was not too slow");
      return false;
    }
  }

  private interface Attempt {
    boolean hasSucceeded() throws Exception;
  }

  private static void repeatUnlessTooSlow(Attempt attempt) throws Exception {
    for (int attempts = 1; !attempt.hasSucceeded(); attempts++) {
      assertTrue(attempts < ATTEMPTS_MAX, "this machine is too slow to be a client");
    }
  }

  @Test
  void whoTakesMoreThanThatIsNotCutOffHoweverLongItLasts() throws Exception {
    repeatUnlessTooSlow(
        () -> {
          ByteBuffer bytes = ByteBuffer.allocate(3 * PERIODS * PIECE_BYTES);
          try (Socket client = ask(e -> LargeBodySender.send(e, bytes))) {
            Reader reader = new Reader(client);
            for (int i = 0; i < 2 * PERIODS; i++) {
              if (!reader.hasRead(PIECE_BYTES)) {
                return false;
              }
              Thread.sleep(PERIOD_MILLIS / 2);
            }
            return complete.getCount() == 1 || reader.wasCutOffForIt();
          }
        });
  }

  @Test
  void nothingIsExpectedOfWhoHasTakenAll() throws Exception {
    repeatUnlessTooSlow(
        () -> {
          try (Socket client = ask(this::beginStream)) {
            EventStream stream = begun();
            Reader reader = new Reader(client);
            stream.push(event(LONG_BYTES), 1);
            if (!reader.hasRead(LONG_BYTES)) {
              return false;
            }
            Thread.sleep((PERIODS + 1) * PERIOD_MILLIS);
            reader.forgetRest();
            stream.push(event(LONG_BYTES), 2);
            return reader.hasRead(LONG_BYTES);
          }
        });
  }
}
