package io.pensieve.server.http;

import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;

/** Sends a long body piece by piece, and lets go of it when it is sent. */
final class LongAnswer implements ChannelListener<StreamSinkChannel> {
  // Undertow has two faults with long bodies. Its connections keep whatever buffer was written
  // together with the header, until the next answer. And its sender hands all of a body to the JDK,
  // which copies that into memory outside the heap, does so again for what the socket did not take,
  // and keeps the memory for the thread. So a small copy goes with the header, and then pieces.

  /** What is written in one piece; shorter bodies need not be sent like this. */
  static final int PIECE_BYTES = 64 << 10;

  private static final int FIRST_BYTES = 64;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final HttpServerExchange exchange;
  private final ByteBuffer first = ByteBuffer.allocate(FIRST_BYTES);
  private ByteBuffer rest;

  private LongAnswer(HttpServerExchange exchange, ByteBuffer body) {
    this.exchange = exchange;
    this.rest = body;
    while (first.hasRemaining() && body.hasRemaining()) {
      first.put(body.get());
    }
    first.flip();
  }

  /** Sends this body, now and later, and ends the exchange. */
  static void send(HttpServerExchange exchange, ByteBuffer body) {
    exchange.setResponseContentLength(body.remaining());
    new LongAnswer(exchange, body).handleEvent(exchange.getResponseChannel());
  }

  @Override
  public void handleEvent(StreamSinkChannel channel) {
    try {
      while (first.hasRemaining() || rest.hasRemaining()) {
        if (writePiece(channel) == 0) {
          channel.getWriteSetter().set(this);
          channel.resumeWrites();
          return;
        }
      }
      rest = NOTHING;
      channel.suspendWrites();
      exchange.endExchange();
    } catch (IOException clientGone) {
      rest = NOTHING;
      exchange.endExchange();
      IoUtils.safeClose(exchange.getConnection());
    }
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
}
