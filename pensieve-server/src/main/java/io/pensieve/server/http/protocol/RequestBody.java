package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemException;
import io.pensieve.server.http.json.ProblemType;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSourceChannel;

/**
 * Reads a whole body on the I/O thread and never blocks there. Memory follows the bytes that have
 * arrived, not the length that the client announces. So the buffer grows with the body, up to a
 * limit, while {@link MemoryBudget} has room for all such bodies.
 */
public final class RequestBody {
  private static final int UNCLAIMED_BYTES_MAX = 16 << 10; // most bodies are short-lived
  private static final int NO_TEXT = 0;

  // Parsing takes about 10 ms per MiB, so a worker parses longer JSON, not an I/O thread.
  private static final int IO_THREAD_JSON_BYTES_MAX = 64 << 10;

  // A builder with two bytes per character that doubles, next to the smaller one it replaces.
  private static final long TEXT_BYTES_PER_BYTE = 2 + 4;

  private final HttpServerExchange exchange;
  private final int bytesMax;
  private final Reader reader;
  private final int bytesExpected;
  // NO_TEXT if the body is not JSON.
  private final int textBytesMax;
  private final BodyBuffer bytes = new BodyBuffer();
  private MemoryBudget.@Nullable Reservation reservation;
  private long bytesRead;
  private @Nullable MinimumTransferRate rate; // set once the body did not arrive all at once

  // Invariant: a body is handed over or rejected, exactly once. A closed or drained channel also
  // reports its end, and its listener may still run after that.
  private boolean ended;

  /** Receives a complete body. Its exceptions become responses. */
  public interface Reader {
    void read(ByteArrayInputStream body) throws Exception;
  }

  private RequestBody(HttpServerExchange exchange, int bytesMax, int textBytesMax, Reader reader) {
    this.exchange = exchange;
    this.bytesMax = bytesMax;
    this.textBytesMax = textBytesMax;
    this.reader = reader;
    long claimed = exchange.getRequestContentLength();
    bytesExpected = claimed < 0 ? bytesMax : (int) claimed;
  }

  /**
   * Reads the body and hands it over, now or later. The reader runs on the exchange's I/O thread,
   * or on a worker if the body is long JSON.
   */
  public static void read(HttpServerExchange exchange, int bytesMax, Reader reader)
      throws Exception {
    read(exchange, bytesMax, NO_TEXT, reader);
  }

  /**
   * Reads a JSON body and hands it over.
   *
   * @param textBytesMax the longest text allowed in it, in bytes of UTF-8; not checked for a short
   *     body
   */
  public static void read(
      HttpServerExchange exchange, int bytesMax, int textBytesMax, Reader reader) throws Exception {
    long claimed = exchange.getRequestContentLength();
    if (claimed > bytesMax) {
      throw tooLarge(String.valueOf(claimed), bytesMax);
    }
    new RequestBody(exchange, bytesMax, textBytesMax, reader).read();
  }

  private static ProblemException tooLarge(String actual, int bytesMax) {
    return ProblemType.BODY_TOO_LARGE.withDetail(
        "the body has " + actual + " bytes, the limit is " + bytesMax);
  }

  private void read() throws Exception {
    StreamSourceChannel channel = exchange.getRequestChannel();
    boolean complete;
    try {
      complete = channel == null || drain(channel);
    } catch (IOException brokenChunk) {
      // The start of the next request is unknown, too.
      IoUtils.safeClose(exchange.getConnection());
      return;
    }
    if (complete) {
      handOver();
      return;
    }
    claim(bytes.capacity());
    rate = new MinimumTransferRate(exchange, () -> bytesRead);
    rate.expect();
    channel.getReadSetter().set(this::readable);
    exchange.dispatch(SameThreadExecutor.INSTANCE, channel::resumeReads);
  }

  private void readable(StreamSourceChannel channel) {
    if (ended || exchange.isComplete()) {
      channel.suspendReads();
      return;
    }
    boolean complete;
    try {
      complete = drain(channel);
    } catch (IOException clientGone) {
      ended = true;
      IoUtils.safeClose(exchange.getConnection());
      return;
    } catch (RuntimeException | Error failure) {
      ended = true;
      drop(); // free the buffer now: the rest of the body is still to come
      channel.suspendReads();
      Connectors.executeRootHandler(e -> ExceptionMapper.respond(e, failure), exchange);
      return;
    }
    if (complete) {
      ended = true;
      if (rate != null) {
        rate.stop(); // the response may take longer
      }
      channel.suspendReads();
      Connectors.executeRootHandler(ExceptionMapper.mapped(e -> handOver()), exchange);
    }
  }

  /** Reads the available bytes. Returns true at the end of the body. */
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
        add(buffer.flip());
      }
    }
  }

  private void add(ByteBuffer source) {
    int taken = bytes.capacity() + bytes.growthFor(source.remaining(), bytesExpected);
    if (taken > UNCLAIMED_BYTES_MAX || reservation != null) {
      claim(taken);
    }
    bytes.add(source, bytesExpected);
  }

  private void claim(long taken) {
    MemoryBudget.Reservation held = reservation;
    if (held == null) {
      held = MemoryBudget.OF_PROCESS.reservationFor(exchange);
      reservation = held;
    }
    held.growTo(taken);
  }

  private void drop() {
    bytes.drop();
    if (reservation != null) {
      reservation.release();
    }
  }

  private void handOver() throws Exception {
    RequestHead.requireWholeBody(exchange);
    if (textBytesMax != NO_TEXT && bytes.size() > IO_THREAD_JSON_BYTES_MAX) {
      exchange.dispatch(ExceptionMapper.mapped(onWorker -> handOverHere()));
    } else {
      handOverHere();
    }
  }

  /**
   * Hands the body over and frees the buffer. Reserves memory first for what the reader creates.
   */
  private void handOverHere() throws Exception {
    if (bytes.size() > UNCLAIMED_BYTES_MAX) {
      long longest = textBytesMax == NO_TEXT ? 0 : bytes.longestString();
      if (longest > textBytesMax && textBytesMax != NO_TEXT) {
        throw ProblemType.VALUE_TOO_LARGE.withDetail(
            "a text has " + longest + " bytes, the limit is " + textBytesMax);
      }
      claim(bytes.capacity() + Math.max(bytes.size(), TEXT_BYTES_PER_BYTE * longest));
    }
    try {
      reader.read(bytes.asInput());
    } finally {
      bytes.drop();
    }
  }
}
