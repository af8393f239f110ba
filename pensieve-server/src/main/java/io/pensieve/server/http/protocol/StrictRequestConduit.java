package io.pensieve.server.http.protocol;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioExecutor;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.StreamSourceConduit;

/**
 * Passes well-formed requests on, byte by byte, before Undertow parses them. Replaces a malformed
 * request by one that reports the fault, so the error response keeps its place in the order of
 * responses. Then drops the following bytes for a limited time, so that the client reads the
 * response before the connection closes.
 */
public final class StrictRequestConduit extends AbstractStreamSourceConduit<StreamSourceConduit> {
  // Undertow accepts malformed framing: for instance, it takes a chunk size of "g" for the last
  // chunk. The sender could then choose where a request ends (request smuggling).

  private static final long DROPPED_BYTES_MAX = 16 << 20; // the default limit of a body

  private static final int PIECES_MAX = 64; // reads in a row before other connections get a turn

  private final StreamConnection connection;
  private final ByteBufferPool buffers;
  private final FramingValidator framing;

  // Between position and limit: bytes that were read, but not passed on. The first `passable` bytes
  // may be passed on. The others are an incomplete unit. Null if there are none, which is the usual
  // case.
  private @Nullable ByteBuffer held;
  private int passable;

  private int pieces;
  private long droppedBytes;

  // Set once everything that is not dropped has been passed on.
  private XnioExecutor.@Nullable Key cut;

  public StrictRequestConduit(
      StreamConnection connection, ByteBufferPool buffers, int headBytesMax) {
    super(connection.getSourceChannel().getConduit());
    this.connection = connection;
    this.buffers = buffers;
    this.framing = new FramingValidator(headBytesMax);
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    if (!target.hasRemaining()) {
      return 0;
    }
    while (passable == 0) {
      if (framing.fault() != null) {
        return drop();
      }
      int start = target.position();
      int count = readPiece(target);
      if (count <= 0) {
        return count;
      }
      int end = target.position();
      target.position(start);
      int passed = held == null ? accept(target, start, end) : acceptHeld(target, end);
      if (passed > 0) {
        return left(passed);
      }
    }
    return left(passHeld(target));
  }

  // At the end of a chunk the reader gets no bytes and waits for the socket. The socket may have
  // signalled all its bytes already. So signal the held bytes once more.
  private int left(int count) {
    if (passable > 0) {
      connection.getIoThread().execute(this::goOn);
    }
    return count;
  }

  /** Passes the accepted bytes on in place, and holds the rest. */
  private int accept(ByteBuffer target, int start, int end) {
    int accepted = framing.accept(target, start, end);
    target.position(accepted);
    if (framing.fault() != null) {
      replace();
    } else if (accepted < end) {
      held = ByteBuffer.allocate(end - accepted).put(0, target, accepted, end - accepted);
    }
    return accepted - start;
  }

  /** Appends the bytes to the held ones. Passes nothing on yet. */
  private int acceptHeld(ByteBuffer target, int end) {
    int count = end - target.position();
    ByteBuffer all = heldWithRoomFor(count);
    int heldBytes = all.limit();
    all.limit(heldBytes + count);
    all.put(heldBytes, target, target.position(), count);
    held = all;
    passable = framing.accept(all, 0, all.limit());
    if (framing.fault() != null) {
      all.limit(passable);
      replace();
    }
    return 0;
  }

  private ByteBuffer heldWithRoomFor(int count) {
    ByteBuffer before = Objects.requireNonNull(held);
    int needed = before.limit() + count;
    if (needed <= before.capacity()) {
      return before;
    }
    ByteBuffer larger = ByteBuffer.allocate(Math.max(needed, 2 * before.capacity()));
    return larger.put(before).flip();
  }

  private void replace() {
    byte[] replacement = framing.replacement();
    ByteBuffer before = held;
    int length = before == null ? 0 : before.remaining();
    ByteBuffer all = ByteBuffer.allocate(length + replacement.length);
    if (before != null) {
      all.put(before);
    }
    held = all.put(replacement).flip();
    passable = all.limit();
  }

  private void cutLater() {
    cut =
        connection
            .getIoThread()
            .executeAfter(
                () -> IoUtils.safeClose(connection),
                ExceptionMapper.LINGER_SECONDS,
                TimeUnit.SECONDS);
  }

  private int passHeld(ByteBuffer target) {
    ByteBuffer from = Objects.requireNonNull(held);
    int count = Math.min(passable, target.remaining());
    int limit = from.limit();
    from.limit(from.position() + count);
    target.put(from);
    from.limit(limit);
    passable -= count;
    if (!from.hasRemaining()) {
      held = null;
      if (framing.fault() != null) {
        cutLater();
      }
    } else if (passable == 0) {
      held = ByteBuffer.allocate(from.remaining()).put(from).flip();
    }
    return count;
  }

  private int drop() throws IOException {
    try (PooledByteBuffer pooled = buffers.allocate()) {
      int count = readPiece(pooled.getBuffer());
      while (count > 0) {
        droppedBytes += count;
        if (droppedBytes > DROPPED_BYTES_MAX) {
          IoUtils.safeClose(connection); // a client that keeps sending does not wait for a response
          throw new ClosedChannelException();
        }
        count = readPiece(pooled.getBuffer().clear());
      }
      if (count < 0 && cut != null) {
        cut.remove();
      }
      return count;
    }
  }

  // A reader of a body loops while bytes are available. A fast sender would keep that loop running
  // forever, and no other task of this thread could run, not even a deadline.
  private int readPiece(ByteBuffer target) throws IOException {
    if (++pieces > PIECES_MAX) {
      pieces = 0;
      connection.getIoThread().execute(this::goOn);
      return 0;
    }
    return next.read(target);
  }

  private void goOn() {
    if (isReadResumed()) {
      next.wakeupReads();
    }
  }

  @Override
  public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
    for (int i = offset; i < offset + length; i++) {
      if (targets[i].hasRemaining()) {
        return read(targets[i]);
      }
    }
    return 0;
  }

  @Override
  public long transferTo(long position, long count, FileChannel target) throws IOException {
    return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
  }

  @Override
  public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target)
      throws IOException {
    return IoUtils.transfer(new ConduitReadableByteChannel(this), count, throughBuffer, target);
  }

  @Override
  public void resumeReads() {
    pieces = 0;
    if (passable > 0) {
      next.wakeupReads();
    } else {
      next.resumeReads();
    }
  }

  @Override
  public void awaitReadable() throws IOException {
    if (passable == 0) {
      next.awaitReadable();
    }
  }

  @Override
  public void awaitReadable(long time, TimeUnit unit) throws IOException {
    if (passable == 0) {
      next.awaitReadable(time, unit);
    }
  }
}
