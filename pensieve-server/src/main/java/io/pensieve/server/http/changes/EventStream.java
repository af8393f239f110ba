package io.pensieve.server.http.changes;

import com.google.errorprone.annotations.concurrent.GuardedBy;
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
 * A response that stays open. A producer puts events into a queue and never waits. The exchange's
 * I/O thread sends them as fast as the client reads. A client is disconnected if it reads nothing
 * while its queue grows beyond the bound. A client with waiting events is also disconnected if the
 * events of all clients exhaust the memory budget.
 */
public final class EventStream {
  // This object's monitor guards the queue and its state. Only the I/O thread writes. The first
  // event schedules the writing, which ends after the last event, so there is at most one writer.
  // While a client reads nothing, the channel's listener is that writer.

  private static final int PIECE_BYTES = 16 << 10; // the most bytes per write

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
   * The largest id that was sent or is queued. Ids never decrease: a client resumes from the last
   * id it has read, so an older id would repeat some changes.
   */
  private long lastId;

  private @Nullable Runnable whenRoom;

  // The event that is sent in several pieces.
  @GuardedBy("this")
  private @Nullable SharedEventBytes sending;

  private volatile XnioExecutor.@Nullable Key nextPing;
  private ByteBuffer piece = NOTHING; // I/O thread only
  // I/O thread only: the rest of the event that is being sent.
  private LazyBytes.@Nullable PartReader unmade;
  // I/O thread only: active while the client leaves bytes unread.
  private final MinimumTransferRate rate;
  private long sentBytes; // I/O thread only

  /**
   * Begins the response. Call this on the exchange's I/O thread, after dispatching the exchange.
   *
   * @param queueBytesMax how many bytes may wait for the client; one more event may be in transit
   * @param whenGone runs once, when the response has ended in any way
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
   * Queues an event, or disconnects the client if too much is queued already.
   *
   * @param id the event's id
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
   * Queues an event, however much is queued. For a producer that first checks {@code isWritable}.
   *
   * @param id the event's id
   * @throws io.pensieve.server.http.json.ProblemException if the memory budget is exhausted; the
   *     event is not queued then
   */
  public synchronized void push(SharedEventBytes event, long id) {
    if (!ending && !added(event)) {
      throw ProblemType.TOO_MANY_WATCHERS.withDetail(
          "what waits for them leaves no room on the heap");
    }
    lastId = Math.max(lastId, id);
  }

  /** Disconnects the client, when not even an end event can be sent. */
  void abort() {
    exchange.getIoThread().execute(this::cutOff);
  }

  /** Sends the queued events, this event, and then the end. */
  synchronized void end(SharedEventBytes lastEvent) {
    if (!ending) {
      add(lastEvent);
      ending = true;
    }
  }

  /** Sends a mark with this id, or with a larger id that was queued meanwhile. */
  synchronized void mark(long id) {
    if (!ending) {
      add(nextMark(id));
    }
  }

  /** Sends the queued events, a mark like {@link #mark}, and then the end. */
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
    // An exhausted budget must not affect a client that keeps up.
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
   * Sends a mark once per period if the queue is empty, until the stream ends. Runs on the I/O
   * thread.
   *
   * @param id returns the sequence up to which everything has been delivered
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

  /** Returns whether a producer of many events may continue. */
  synchronized boolean isWritable() {
    return queuedBytes <= queueBytesMax / 2;
  }

  /**
   * Like {@link #isWritable}. If false, the I/O thread runs the task once, as soon as the producer
   * may continue.
   */
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
      cutOff(); // otherwise the client would wait forever for the rest
      throw broken;
    }
  }

  /** Fills the next piece of an event that is longer than one piece. */
  private boolean makePiece() {
    LazyBytes.PartReader partReader = unmade;
    if (partReader == null) {
      return false;
    }
    // A larger write would make the JDK copy all of it into off-heap memory and keep that memory.
    ByteBuffer buffer = piece.capacity() == PIECE_BYTES ? piece : ByteBuffer.allocate(PIECE_BYTES);
    if (partReader.fill(buffer.clear())) {
      unmade = null;
    }
    piece = buffer.flip();
    return piece.hasRemaining();
  }

  // Lets a waiting producer continue.
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

  @GuardedBy("this")
  private void releaseSent() {
    SharedEventBytes sent = sending;
    if (sent != null) {
      sent.release();
      sending = null;
    }
  }

  // Small events share a piece: each alone would cost a chunk and a system call.
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
    // Call this without the lock: it may end the exchange, and completion listeners take locks.
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
      // A pending timer would retain the ended stream and its connection until it fires.
      XnioExecutor.Key ping = nextPing;
      if (ping != null) {
        ping.remove();
      }
      onClosed.run();
    }
  }
}
