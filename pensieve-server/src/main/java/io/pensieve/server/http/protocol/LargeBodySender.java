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
 * Sends a long body in pieces, and frees it once it is sent. Disconnects a client that reads it too
 * slowly.
 */
final class LargeBodySender implements ChannelListener<StreamSinkChannel> {
  // Undertow has two problems with long bodies. Its connections retain the buffer that was written
  // together with the header, until the next response. And its sender passes the whole body to the
  // JDK. The JDK copies it into off-heap memory, copies again what the socket did not accept, and
  // keeps the memory for the thread. So a small copy goes with the header, followed by pieces.

  /** A longer value occupies an I/O thread for so long that a worker must handle it. */
  static final int AT_ONCE_BYTES_MAX = 1 << 20;

  private static final int PIECE_BYTES = 64 << 10;
  private static final int MADE_BYTES = 16 << 10; // for a lazy body
  private static final int FIRST_BYTES = 64;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
  private static final LazyBytes.PartReader ENDED = buffer -> true;

  private final HttpServerExchange exchange;
  private final ByteBuffer first = ByteBuffer.allocate(FIRST_BYTES);
  private ByteBuffer rest;
  private LazyBytes.PartReader unmade; // follows the rest
  private long sent;
  // Set once the client reads more slowly than the server sends.
  private @Nullable MinimumTransferRate rate;

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

  /** Sends this body, which is produced while it is sent. */
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
      cutOff(); // a started response cannot be retracted
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
