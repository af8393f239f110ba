package io.pensieve.server.http.changes;

import io.pensieve.server.http.json.LazyBytes;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.MinimumTransferRate;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.XnioExecutor;
import org.xnio.channels.StreamSinkChannel;

/**
 * An answer that goes on. Whoever has something to tell puts it into a queue and never waits; the
 * exchange's I/O thread sends it as fast as the client takes it. A client that takes nothing while
 * the queue grows beyond its bound is cut off; so is one for which anything waits when what waits
 * for all of them leaves no room on the heap.
 */
public final class EventStream {
  // The queue and its state are guarded by this. All writing happens on the I/O thread: it is
  // scheduled when the first event comes, and ends when it has sent the last one, so that there is
  // one writer at most. While a client takes nothing, the channel's listener is that writer.

  private static final int PIECE_BYTES = 16 << 10; // at most, what is written at once

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final HttpServerExchange exchange;
  private final long queueBytesMax;
  private final Runnable onClosed;
  private final StreamSinkChannel channel;
  private final AtomicBoolean gone = new AtomicBoolean();
  private final Deque<SharedEventBytes> queue = new ArrayDeque<>();
  private long queuedBytes;
  private boolean writing;
  private boolean ending;

  /**
   * The largest id that is sent or waits to be. Ids never go back: a client resumes from the last
   * one it has read, so an older one would have it told some changes twice.
   */
  private long lastId;

  private @Nullable Runnable whenRoom;
  private @Nullable SharedEventBytes sending; // guarded by this; what is sent in several pieces
  private volatile XnioExecutor.@Nullable Key nextPing;
  private ByteBuffer piece = NOTHING; // of the I/O thread
  private LazyBytes.@Nullable PartReader
      unmade; // of the I/O thread; the rest of what is being sent
  private final MinimumTransferRate
      rate; // of the I/O thread; expected while the client leaves any waiting
  private long sentBytes; // of the I/O thread

  /**
   * Begins the answer. On the exchange's I/O thread, which must have been told that the answer
   * comes later.
   *
   * @param queueBytesMax how much may wait for a client; one event more may be on its way
   * @param whenGone is run once, when the answer has ended in whichever way
   */
  public EventStream(HttpServerExchange exchange, long queueBytesMax, Runnable whenGone) {
    this.exchange = exchange;
    this.queueBytesMax = queueBytesMax;
    this.onClosed = whenGone;
    exchange.addExchangeCompleteListener(
        (completed, next) -> {
          notifyClosed();
          next.proceed();
        });
    this.rate = new MinimumTransferRate(exchange, () -> sentBytes);
    this.channel = exchange.getResponseChannel();
    channel.getWriteSetter().set(writable -> write());
  }

  /**
   * Sends an event after those before it, or cuts the client off if too much waits already.
   *
   * @param id that of the event
   */
  void offer(SharedEventBytes event, long id) {
    synchronized (this) {
      if (ending || (queuedBytes <= queueBytesMax && added(event))) {
        lastId = Math.max(lastId, id);
        return;
      }
      clear();
      ending = true;
    }
    exchange.getIoThread().execute(this::cutOff);
  }

  /**
   * Sends an event after those before it, however much waits: for whoever asks for room first.
   *
   * @param id that of the event
   * @throws io.pensieve.server.http.json.ProblemException if there is no room on the heap; it is
   *     not sent then
   */
  public synchronized void push(SharedEventBytes event, long id) {
    if (!ending && !added(event)) {
      throw ProblemType.TOO_MANY_WATCHERS.withDetail(
          "what waits for them leaves no room on the heap");
    }
    lastId = Math.max(lastId, id);
  }

  /** Cuts the client off, when not even an end can be told. */
  void abort() {
    exchange.getIoThread().execute(this::cutOff);
  }

  /** Sends what waits, this, and then the end. */
  synchronized void end(SharedEventBytes lastEvent) {
    if (!ending) {
      add(lastEvent);
      ending = true;
    }
  }

  /** Sends a mark of this id, or of a later one that was told meanwhile. */
  synchronized void mark(long id) {
    if (!ending) {
      add(nextMark(id));
    }
  }

  /** Sends what waits, a mark as {@link #mark} does, and then the end. */
  synchronized void endWithMark(long id) {
    end(nextMark(id));
  }

  private SharedEventBytes nextMark(long id) {
    lastId = Math.max(lastId, id);
    return ChangeEvent.mark(lastId);
  }

  private boolean added(SharedEventBytes event) {
    if (event.retain()) {
      add(event);
      return true;
    }
    // A client that keeps up does not suffer from those who do not.
    boolean keepsUp = queue.isEmpty() && event.length() <= PIECE_BYTES;
    if (keepsUp) {
      add(event.uncounted());
    }
    return keepsUp;
  }

  private void add(SharedEventBytes held) {
    queue.add(held);
    queuedBytes += held.length();
    if (!writing) {
      writing = true;
      exchange.getIoThread().execute(this::write);
    }
  }

  private void clear() {
    queue.forEach(SharedEventBytes::release);
    queue.clear();
  }

  /**
   * Sends a mark every so often if nothing waits, until the stream ends; on its I/O thread.
   *
   * @param id up to which change everything was told when it is asked
   */
  void markEvery(long periodMillis, LongSupplier id) {
    nextPing =
        exchange
            .getIoThread()
            .executeAfter(
                () -> {
                  if (!gone.get()) {
                    markIfIdle(id.getAsLong());
                    markEvery(periodMillis, id);
                  }
                },
                periodMillis,
                TimeUnit.MILLISECONDS);
  }

  private synchronized void markIfIdle(long id) {
    if (queue.isEmpty()) {
      mark(id);
    }
  }

  /** Whether whoever has much to tell may go on. */
  synchronized boolean isWritable() {
    return queuedBytes <= queueBytesMax / 2;
  }

  /** The same. If not, the task is run once, on the I/O thread, as soon as it may. */
  synchronized boolean isWritableOr(Runnable task) {
    if (isWritable()) {
      return true;
    }
    whenRoom = task;
    return false;
  }

  private void write() {
    try {
      while (piece.hasRemaining() || makePiece() || takePiece()) {
        int count = channel.write(piece);
        sentBytes += count;
        if (count == 0) {
          rate.expect();
          channel.resumeWrites();
          return;
        }
      }
      finishWriting();
    } catch (IOException clientGone) {
      cutOff();
    } catch (RuntimeException | Error broken) {
      cutOff(); // or its client would wait for ever for the rest
      throw broken;
    }
  }

  /** Makes the next piece of an event that is too long for one. */
  private boolean makePiece() {
    LazyBytes.PartReader partReader = unmade;
    if (partReader == null) {
      return false;
    }
    // Not more at once: the JDK would copy all of it into memory outside the heap, and keep that.
    ByteBuffer buffer = piece.capacity() == PIECE_BYTES ? piece : ByteBuffer.allocate(PIECE_BYTES);
    if (partReader.fill(buffer.clear())) {
      unmade = null;
    }
    piece = buffer.flip();
    return piece.hasRemaining();
  }

  // Whoever has more to tell may go on.
  private void notifyWritable(long bytesTaken) {
    Runnable task;
    synchronized (this) {
      queuedBytes -= bytesTaken;
      task = isWritable() ? whenRoom : null;
      whenRoom = task == null ? whenRoom : null;
    }
    if (task != null) {
      task.run();
    }
  }

  private boolean takePiece() {
    SharedEventBytes first;
    synchronized (this) {
      releaseSent();
      piece = NOTHING;
      first = queue.poll();
      if (first == null) {
        return false;
      }
      if (first.length() > PIECE_BYTES) {
        sending = first;
        unmade = first.read();
      } else {
        piece = coalesce(first);
      }
    }
    notifyWritable(unmade == null ? piece.remaining() : first.length());
    return unmade == null || makePiece();
  }

  private void releaseSent() {
    SharedEventBytes sent = sending;
    if (sent != null) {
      sent.release();
      sending = null;
    }
  }

  // Small events go together, so that each does not cost a chunk and a system call of its own.
  private ByteBuffer coalesce(SharedEventBytes first) {
    ByteBuffer together = ByteBuffer.allocate(PIECE_BYTES);
    for (SharedEventBytes next = first; next != null; next = nextWithin(together.remaining())) {
      boolean unused = next.read().fill(together);
      next.release();
    }
    return together.flip();
  }

  private @Nullable SharedEventBytes nextWithin(int bytesMax) {
    SharedEventBytes next = queue.peek();
    return next != null && next.length() <= bytesMax ? queue.poll() : null;
  }

  private void finishWriting() throws IOException {
    boolean last;
    synchronized (this) {
      if (!queue.isEmpty()) {
        exchange.getIoThread().execute(this::write);
        return;
      }
      last = ending;
    }
    // Not under the lock: it may end the exchange, and who is told of that takes locks of his own.
    if (last) {
      channel.shutdownWrites();
    }
    if (!channel.flush()) {
      channel.resumeWrites();
      return;
    }
    rate.stop();
    channel.suspendWrites();
    synchronized (this) {
      writing = !queue.isEmpty();
      if (writing) {
        exchange.getIoThread().execute(this::write);
      }
    }
  }

  private void cutOff() {
    IoUtils.safeClose(exchange.getConnection());
    exchange.endExchange();
    notifyClosed();
  }

  private void notifyClosed() {
    if (gone.compareAndSet(false, true)) {
      synchronized (this) {
        clear();
        releaseSent();
        ending = true;
      }
      unmade = null;
      // Or it would keep what has ended, the connection and all, until its time has come.
      XnioExecutor.Key ping = nextPing;
      if (ping != null) {
        ping.remove();
      }
      onClosed.run();
    }
  }
}
