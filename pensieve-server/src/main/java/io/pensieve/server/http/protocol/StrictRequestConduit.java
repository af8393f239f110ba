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
 * Lets pass what is a request, byte by byte, before Undertow reads it. In place of one that is
 * broken comes one that says so: then its answer has its turn among the others. What comes behind
 * it is dropped, for a while, so that the client sees the answer before the end of the connection.
 */
public final class StrictRequestConduit extends AbstractStreamSourceConduit<StreamSourceConduit> {
  // Undertow takes a chunk's size of "g" for the last one, and more of the kind: where a request
  // ends would then be for the sender to choose.

  private static final long DROPPED_BYTES_MAX = 16 << 20; // as long as a body is by default

  private static final int PIECES_MAX = 64; // read one after the other, then others have their turn

  private final StreamConnection connection;
  private final ByteBufferPool buffers;
  private final FramingValidator framing;

  // Between position and limit: read, but not passed on. The first `passable` of them may be, the
  // others are a unit that is not complete. Null if there are none, which is the rule.
  private @Nullable ByteBuffer held;
  private int passable;

  private int pieces;
  private long droppedBytes;

  // There once all is passed on of what is not dropped.
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

  // Whoever reads takes the end of a chunk for nothing, and waits for the socket, which may have
  // told of all it has: so what is left here has to be told of once more.
  private int left(int count) {
    if (passable > 0) {
      connection.getIoThread().execute(this::goOn);
    }
    return count;
  }

  /** Passes what was read where it is, and holds the rest. */
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

  /** Adds what was read to what is held; passes nothing yet. */
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
          IoUtils.safeClose(connection); // who sends on and on does not wait for an answer
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

  // Whoever reads a body, or drops it, does so as long as there is something: with a fast sender
  // that would be for ever, and nobody else on this thread would have a turn, no deadline either.
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
