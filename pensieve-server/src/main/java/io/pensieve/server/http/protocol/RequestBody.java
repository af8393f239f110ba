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
 * Reads a whole body on the I/O thread, without ever waiting there. What a client claims is never
 * allocated, only what has arrived: so the body grows as it comes, up to a limit, as long as there
 * is room on the heap for all that do so.
 */
public final class RequestBody {
  private static final int UNCLAIMED_BYTES_MAX = 16 << 10; // most bodies: there at once, and gone
  private static final int NO_TEXT = 0;

  // Parsing takes some 10 ms a MiB: longer JSON than this is for a worker, not for an I/O thread.
  private static final int IO_THREAD_JSON_BYTES_MAX = 64 << 10;

  // A builder of two bytes a character that doubles, beside the one it grows out of.
  private static final long TEXT_BYTES_PER_BYTE = 2 + 4;

  private final HttpServerExchange exchange;
  private final int bytesMax;
  private final Reader reader;
  private final int bytesExpected;
  private final int textBytesMax; // NO_TEXT if the body is none of JSON
  private final BodyBuffer bytes = new BodyBuffer();
  private MemoryBudget.@Nullable Reservation reservation;
  private long bytesRead;
  private @Nullable MinimumTransferRate rate; // once not all of it was there

  // Invariant: a body is handed over or refused, and that once. A channel that is closed, or whose
  // rest was dropped, says that it is at its end, too, and whoever reads it may be woken after
  // that.
  private boolean ended;

  /** What is done with a body that is there; exceptions become answers. */
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
   * Reads the body and hands it over, now or later: on the exchange's I/O thread, or, if it is long
   * and JSON, on a worker.
   */
  public static void read(HttpServerExchange exchange, int bytesMax, Reader reader)
      throws Exception {
    read(exchange, bytesMax, NO_TEXT, reader);
  }

  /**
   * Reads a body of JSON and hands it over.
   *
   * @param textBytesMax the longest text in it, in bytes of UTF-8; of a short body whatever it has
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
      // Where the next request begins is not known either.
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
      drop(); // the rest of the body is still to come, and is not waited for with this
      channel.suspendReads();
      Connectors.executeRootHandler(e -> ExceptionMapper.respond(e, failure), exchange);
      return;
    }
    if (complete) {
      ended = true;
      if (rate != null) {
        rate.stop(); // the answer may take its time
      }
      channel.suspendReads();
      Connectors.executeRootHandler(ExceptionMapper.mapped(e -> handOver()), exchange);
    }
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

  /** Hands the body over, with room for what is made of it: it lets go of what was read. */
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
