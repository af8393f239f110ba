package io.pensieve.server.http.transport;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.DefaultByteBufferPool;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The buffers of all connections. Each thread keeps a few of those that it gave back, and takes
 * them again without a lock. Undertow's pool has the others, and bounds them. It has a cache for
 * each thread, too, but finds it in one synchronized map, several times a request.
 */
final class ThreadBufferPool implements ByteBufferPool {
  /** How many buffers a thread keeps: more than it needs at once for one connection. */
  static final int KEPT_PER_THREAD = 8;

  private static final int POOLED_MAX = 1000;

  private final ByteBufferPool shared;
  private final ThreadLocal<Deque<PooledByteBuffer>> kept =
      ThreadLocal.withInitial(ArrayDeque::new);

  /** Creates a pool of direct buffers. */
  ThreadBufferPool(int bufferBytes) {
    shared = new DefaultByteBufferPool(true, bufferBytes, POOLED_MAX, 0);
  }

  @Override
  public PooledByteBuffer allocate() {
    PooledByteBuffer own = kept.get().poll();
    PooledByteBuffer buffer = own == null ? shared.allocate() : own;
    buffer.getBuffer().clear();
    return new Lent(buffer);
  }

  private void takeBack(PooledByteBuffer buffer) {
    Deque<PooledByteBuffer> own = kept.get();
    if (own.size() < KEPT_PER_THREAD) {
      own.push(buffer);
    } else {
      buffer.close();
    }
  }

  @Override
  public ByteBufferPool getArrayBackedPool() {
    return shared.getArrayBackedPool();
  }

  /** Closes the pool. What threads keep goes with the threads. */
  @Override
  public void close() {
    shared.close();
  }

  @Override
  public int getBufferSize() {
    return shared.getBufferSize();
  }

  @Override
  public boolean isDirect() {
    return shared.isDirect();
  }

  /** A buffer in use. Whoever closes it first gives it back, and nobody else does. */
  private final class Lent extends AtomicReference<@Nullable PooledByteBuffer>
      implements PooledByteBuffer {
    private static final long serialVersionUID = 1;

    Lent(PooledByteBuffer buffer) {
      super(buffer);
    }

    @Override
    public ByteBuffer getBuffer() {
      PooledByteBuffer buffer = get();
      if (buffer == null) {
        throw new IllegalStateException("the buffer was given back");
      }
      return buffer.getBuffer();
    }

    @Override
    public void close() {
      PooledByteBuffer buffer = getAndSet(null);
      if (buffer != null) {
        takeBack(buffer);
      }
    }

    @Override
    public boolean isOpen() {
      return get() != null;
    }
  }
}
