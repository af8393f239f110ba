package io.pensieve.server.http;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSourceChannel;

/**
 * Reads a whole body on the I/O thread, without ever waiting there. What a client claims is never
 * allocated, only what has arrived: so the body grows as it comes, up to a limit, as long as there
 * is room on the heap for all that do so.
 */
final class RequestBody {
  private static final byte[] NOTHING = {};
  private static final int UNCLAIMED_BYTES_MAX = 16 << 10; // most bodies: there at once, and gone
  private static final int ARRAY_BYTES_MAX = Integer.MAX_VALUE - 8; // what a JVM can make

  private final HttpServerExchange exchange;
  private final int bytesMax;
  private final Reader reader;
  private final int bytesExpected;
  private final Bytes bytes = new Bytes();
  private long bytesRead;
  private @Nullable MinimalRate rate; // once not all of it was there

  /** What is done with a body that is there; exceptions become answers. */
  interface Reader {
    void read(ByteArrayInputStream body) throws Exception;
  }

  private RequestBody(HttpServerExchange exchange, int bytesMax, Reader reader) {
    this.exchange = exchange;
    this.bytesMax = bytesMax;
    this.reader = reader;
    long claimed = exchange.getRequestContentLength();
    bytesExpected = claimed < 0 ? bytesMax : (int) claimed;
  }

  /** Reads the body and hands it over, now or later, on the exchange's I/O thread. */
  static void read(HttpServerExchange exchange, int bytesMax, Reader reader) throws Exception {
    long claimed = exchange.getRequestContentLength();
    if (claimed > bytesMax) {
      throw tooLarge(String.valueOf(claimed), bytesMax);
    }
    new RequestBody(exchange, bytesMax, reader).read();
  }

  private static Refusal tooLarge(String actual, int bytesMax) {
    return Problem.BODY_TOO_LARGE.because(
        "the body has " + actual + " bytes, the limit is " + bytesMax);
  }

  private void read() throws Exception {
    StreamSourceChannel channel = exchange.getRequestChannel();
    boolean complete;
    try {
      complete = channel == null || drain(channel);
    } catch (IOException brokenChunk) {
      // Where the next request begins is not known either.
      IoUtils.safeClose(exchange.getConnection());
      return;
    }
    if (complete) {
      handOver();
      return;
    }
    bytes.claim();
    rate = MinimalRate.expect(exchange, () -> bytesRead);
    channel.getReadSetter().set(this::readable);
    exchange.dispatch(SameThreadExecutor.INSTANCE, channel::resumeReads);
  }

  private void readable(StreamSourceChannel channel) {
    boolean complete;
    try {
      complete = drain(channel);
    } catch (IOException clientGone) {
      IoUtils.safeClose(exchange.getConnection());
      return;
    } catch (RuntimeException | Error failure) {
      bytes.drop(); // the rest of the body is still to come, and is not waited for with this
      channel.suspendReads();
      Connectors.executeRootHandler(e -> Failures.answer(e, failure), exchange);
      return;
    }
    if (complete) {
      if (rate != null) {
        rate.stop(); // the answer may take its time
      }
      channel.suspendReads();
      Connectors.executeRootHandler(Failures.mapped(e -> handOver()), exchange);
    }
  }

  private void handOver() throws Exception {
    RequestHead.requireWholeBody(exchange);
    reader.read(bytes.asInput());
  }

  /** Reads what there is; true at the end of the body. */
  private boolean drain(StreamSourceChannel channel) throws IOException {
    try (PooledByteBuffer pooled = exchange.getConnection().getByteBufferPool().allocate()) {
      ByteBuffer buffer = pooled.getBuffer();
      while (true) {
        buffer.clear();
        int read = channel.read(buffer);
        if (read <= 0) {
          return read < 0;
        }
        if (bytes.size() + read > bytesMax) {
          throw tooLarge("more than " + bytesMax, bytesMax);
        }
        bytesRead += read;
        bytes.add(buffer.flip());
      }
    }
  }

  /** A growing array that can be read without being copied. */
  private final class Bytes {
    private byte[] bytes = NOTHING;
    private int size;
    private HeapRoom.@Nullable Claim claim;

    int size() {
      return size;
    }

    void add(ByteBuffer source) {
      int count = source.remaining();
      if (bytes.length - size < count) {
        grow(count);
      }
      source.get(bytes, size, count);
      size += count;
    }

    private void grow(int count) {
      // The first piece is mostly the whole. No more than what is announced is ever needed.
      long doubled = Math.min(size * 2L + count, Math.max(bytesExpected, size + count));
      int length = (int) Math.min(ARRAY_BYTES_MAX, doubled);
      if (length > UNCLAIMED_BYTES_MAX || claim != null) {
        claim(length);
      }
      bytes = Arrays.copyOf(bytes, length);
    }

    /** Claims the room for what is held by now. */
    void claim() {
      claim(bytes.length);
    }

    // Twice: for these bytes, and for those they grow out of, or for what is made of them.
    private void claim(int length) {
      HeapRoom.Claim held = claim;
      if (held == null) {
        held = HeapRoom.OF_PROCESS.claimFor(exchange);
        claim = held;
      }
      held.atLeast(2L * length);
    }

    void drop() {
      bytes = NOTHING;
      size = 0;
      if (claim != null) {
        claim.release();
      }
    }

    ByteArrayInputStream asInput() {
      return new ByteArrayInputStream(bytes, 0, size);
    }
  }
}
