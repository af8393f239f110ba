package io.pensieve.server.http.admin;

import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.MinimumTransferRate;
import io.undertow.server.HttpServerExchange;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;

/**
 * Sends a body of known length from a disk, a piece at a time. A worker reads a piece, then the I/O
 * thread writes it. While the client takes nothing, no thread waits; one that is too slow is cut
 * off.
 */
final class DiskBodySender implements ChannelListener<StreamSinkChannel> {
  // A larger write would be copied outside the heap, and the thread would keep that memory.
  private static final int PIECE_BYTES = 64 << 10;

  // Used by the worker while it reads, otherwise by the I/O thread. Handing over to an executor
  // orders the two.
  private final ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES).limit(0);
  private final HttpServerExchange exchange;
  private final Source source;
  private final Executor worker;
  private final StreamSinkChannel channel;
  private final MinimumTransferRate rate;
  private long sent; // I/O thread only
  private boolean reading; // I/O thread only: a worker uses the source
  private boolean over; // I/O thread only: the exchange is complete

  /** Where the bytes come from. */
  interface Source extends Closeable {
    /** Fills the buffer with the next bytes, which may wait for the disk. Empty at the end. */
    void read(ByteBuffer into) throws IOException;
  }

  private DiskBodySender(HttpServerExchange exchange, Source source) {
    this.exchange = exchange;
    this.source = source;
    this.worker = exchange.getConnection().getWorker();
    this.channel = exchange.getResponseChannel();
    this.rate = new MinimumTransferRate(exchange, () -> sent);
  }

  /**
   * Sends the body and ends the exchange. A worker closes the source when the exchange is complete,
   * however it ends. Call this on the exchange's I/O thread, after dispatching the exchange.
   */
  static void send(HttpServerExchange exchange, long length, Source source) {
    exchange.setResponseContentLength(length);
    DiskBodySender body = new DiskBodySender(exchange, source);
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          body.end();
          next.proceed();
        });
    body.channel.getWriteSetter().set(body);
    body.readNext();
  }

  private void end() {
    over = true;
    if (!reading) {
      onWorker(this::closeSource);
    }
  }

  private void onWorker(Runnable task) {
    try {
      worker.execute(task);
    } catch (RejectedExecutionException stopping) {
      closeSource();
    }
  }

  private void closeSource() {
    try {
      source.close();
    } catch (IOException | RuntimeException notClosed) {
      ExceptionMapper.logUnexpected(notClosed);
    }
  }

  private void readNext() {
    reading = true;
    onWorker(this::read);
  }

  private void read() {
    boolean isRead = false;
    try {
      source.read(piece.clear());
      isRead = true;
    } catch (IOException | RuntimeException | Error broken) {
      ExceptionMapper.logUnexpected(broken);
    }
    piece.flip();
    boolean isWhole = isRead;
    exchange.getIoThread().execute(() -> written(isWhole));
  }

  private void written(boolean isWhole) {
    reading = false;
    if (over) {
      onWorker(this::closeSource);
    } else if (isWhole) {
      handleEvent(channel);
    } else {
      cutOff(); // before its length: the client sees that the rest is missing
    }
  }

  @Override
  public void handleEvent(StreamSinkChannel writable) {
    if (reading || over) {
      return;
    }
    try {
      if (!piece.hasRemaining()) {
        finish();
        return;
      }
      while (piece.hasRemaining()) {
        int count = channel.write(piece);
        sent += count;
        if (count == 0) {
          rate.expect();
          channel.resumeWrites();
          return;
        }
      }
      channel.suspendWrites();
      rate.stop(); // the next piece may wait for the disk
      readNext();
    } catch (IOException clientGone) {
      cutOff();
    } catch (RuntimeException | Error broken) {
      cutOff();
      throw broken;
    }
  }

  private void finish() {
    rate.stop();
    channel.suspendWrites();
    exchange.endExchange();
  }

  private void cutOff() {
    IoUtils.safeClose(exchange.getConnection());
    exchange.endExchange();
  }
}
