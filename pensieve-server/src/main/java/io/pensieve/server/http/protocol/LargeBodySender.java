package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.LazyBytes;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;

/**
 * Sends a long body piece by piece, and lets go of it when it is sent. A client that takes it too
 * slowly is cut off.
 */
final class LargeBodySender implements ChannelListener<StreamSinkChannel> {
  // Undertow has two faults with long bodies. Its connections keep whatever buffer was written
  // together with the header, until the next answer. And its sender hands all of a body to the JDK,
  // which copies that into memory outside the heap, does so again for what the socket did not take,
  // and keeps the memory for the thread. So a small copy goes with the header, and then pieces.

  /** A value that is longer than this takes an I/O thread so long that it is for a worker. */
  static final int AT_ONCE_BYTES_MAX = 1 << 20;

  private static final int PIECE_BYTES = 64 << 10;
  private static final int MADE_BYTES = 16 << 10; // of a body that is made as it is sent
  private static final int FIRST_BYTES = 64;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
  private static final LazyBytes.PartReader ENDED = buffer -> true;

  private final HttpServerExchange exchange;
  private final ByteBuffer first = ByteBuffer.allocate(FIRST_BYTES);
  private ByteBuffer rest;
  private LazyBytes.PartReader unmade; // what comes after the rest
  private long sent;
  private @Nullable MinimumTransferRate
      rate; // once the client does not take it as fast as it is sent

  private LargeBodySender(
      HttpServerExchange exchange, ByteBuffer rest, LazyBytes.PartReader unmade) {
    this.exchange = exchange;
    this.rest = rest;
    this.unmade = unmade;
  }

  /** Sends this body, now and later, and ends the exchange. */
  static void send(HttpServerExchange exchange, ByteBuffer body) {
    exchange.setResponseContentLength(body.remaining());
    LargeBodySender answer = new LargeBodySender(exchange, body, ENDED);
    answer.first.put(body.slice().limit(Math.min(FIRST_BYTES, body.remaining())));
    body.position(body.position() + answer.first.position());
    answer.begin();
  }

  /** Sends this body, made as it is sent. */
  static void send(HttpServerExchange exchange, LazyBytes body) {
    exchange.setResponseContentLength(body.length());
    LargeBodySender answer = new LargeBodySender(exchange, NOTHING, body.read());
    boolean unused = answer.unmade.fill(answer.first);
    answer.rest = ByteBuffer.allocate(MADE_BYTES).limit(0);
    answer.begin();
  }

  private void begin() {
    first.flip();
    handleEvent(exchange.getResponseChannel());
  }

  @Override
  public void handleEvent(StreamSinkChannel channel) {
    try {
      while (hasMore()) {
        int count = writePiece(channel);
        sent += count;
        if (count == 0) {
          enforceMinimumRate();
          channel.getWriteSetter().set(this);
          channel.resumeWrites();
          return;
        }
      }
      release();
      channel.suspendWrites();
      exchange.endExchange();
    } catch (IOException clientGone) {
      cutOff();
    } catch (RuntimeException | Error broken) {
      cutOff(); // half an answer cannot be taken back
      throw broken;
    }
  }

  private boolean hasMore() {
    if (!first.hasRemaining() && !rest.hasRemaining() && unmade != ENDED) {
      if (unmade.fill(rest.clear())) {
        unmade = ENDED;
      }
      rest.flip();
    }
    return first.hasRemaining() || rest.hasRemaining();
  }

  private int writePiece(StreamSinkChannel channel) throws IOException {
    if (first.hasRemaining()) {
      return channel.write(first);
    }
    int end = rest.limit();
    rest.limit(Math.min(end, rest.position() + PIECE_BYTES));
    try {
      return channel.write(rest);
    } finally {
      rest.limit(end);
    }
  }

  private void enforceMinimumRate() {
    if (rate == null) {
      rate = new MinimumTransferRate(exchange, () -> sent);
      rate.expect();
    }
  }

  private void release() {
    rest = NOTHING;
    unmade = ENDED;
    if (rate != null) {
      rate.stop();
    }
  }

  private void cutOff() {
    release();
    exchange.endExchange();
    IoUtils.safeClose(exchange.getConnection());
  }
}
