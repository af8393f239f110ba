package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Replays chunks of frames to a handler. Frames are replayed in order on the thread that reads
 * them, or on several threads if the handler takes changes in any order.
 *
 * <p>One thread reads all files. In a loop it takes a free chunk, fills it and submits it. When no
 * chunk is free, it replays one itself.
 */
final class ReplayPipeline<K, V> implements AutoCloseable {
  // Of several failures the first one in the log counts, as if one thread had replayed everything.
  // So chunks retire in the order of their submission. A failure is known as the first one when its
  // chunk retires. Chunks submitted after it are no longer replayed.
  //
  // Memory. Chunks read and not yet replayed take a bounded share of the heap, since their number
  // is limited. The reading thread replays a frame longer than a chunk itself, one at a time, when
  // everything before it has been replayed. The removals before it may be what frees memory for it.

  private static final int BATCHES_PER_THREAD = 4;
  private static final int BATCHES_MIN = 2;
  private static final int HEAP_SHARE = 32;
  private static final long PROGRESS_BYTES = 1 << 20;

  /**
   * How much a thread does at a time, and how many threads there are.
   *
   * @param threads how many threads replay, including the reading one
   * @param batchBytes how many bytes a chunk has
   * @param aloneBytes how many bytes the reading thread replays before it starts others
   */
  record Settings(int threads, int batchBytes, long aloneBytes) {
    static Settings ofThreads(int threads) {
      return new Settings(threads, 256 << 10, 1 << 20);
    }
  }

  private final Settings settings;
  private final ReplayHandler<K, V> handler;
  private final ReplayHandler.Unordered<K, V> receiver;
  private final boolean isForSeveral;
  private final ChangeDecoder<K, V> decoder;
  private final long bytesTotal;
  private final long batchesMax;

  // Used by the reading thread only.
  private final List<UninterruptibleThread> workers = new ArrayList<>();
  private long numbered;
  private long bytes;
  private long bytesReported;
  private long changesAlone;
  private boolean hasToldExpectation;

  // A chunk is empty, or under way, and then perhaps waiting, too.
  @GuardedBy("this")
  private final Deque<FrameChunk> empty = new ArrayDeque<>();

  @GuardedBy("this")
  private final Deque<FrameChunk> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private final Deque<FrameChunk> underWay = new ArrayDeque<>();

  @GuardedBy("this")
  private int batches;

  @GuardedBy("this")
  private long retired;

  @GuardedBy("this")
  private long changes;

  @GuardedBy("this")
  private @Nullable Throwable failure;

  @GuardedBy("this")
  private boolean closed;

  ReplayPipeline(
      Settings settings,
      Codec<K> keyCodec,
      Codec<V> valueCodec,
      ReplayHandler<K, V> handler,
      long bytesTotal) {
    this.settings = settings;
    this.handler = handler;
    Optional<ReplayHandler.Unordered<K, V>> anyOrder = handler.unordered();
    this.isForSeveral = anyOrder.isPresent() && settings.threads() > 1;
    this.receiver = anyOrder.orElseGet(() -> new OrderedHandler<>(handler));
    this.bytesTotal = bytesTotal;
    this.batchesMax = batchesMax(settings, Runtime.getRuntime().maxMemory());
    this.decoder = new ChangeDecoder<>(keyCodec, valueCodec, receiver);
  }

  private static long batchesMax(Settings settings, long heapBytes) {
    long fitting = heapBytes / HEAP_SHARE / settings.batchBytes();
    return Math.max(BATCHES_MIN, Math.min((long) BATCHES_PER_THREAD * settings.threads(), fitting));
  }

  /** Adapts a handler that needs order, for replay by one thread. */
  private record OrderedHandler<K, V>(ReplayHandler<K, V> handler)
      implements ReplayHandler.Unordered<K, V> {
    // A base has fewer entries than positions before it. So the entries' numbers are below the
    // sequences that follow.
    @Override
    public void entry(Change.Put<K, V> put, long version, long stamp) {
      handler.entry(put, version, stamp);
    }

    @Override
    public void change(long sequence, long stamp, Change<K, V> change) {
      handler.change(sequence, change);
    }

    @Override
    public void completeUpTo(long sequence) {}
  }

  /** Answers a free chunk to fill, as soon as there is one. */
  FrameChunk takeFree() throws IOException {
    FrameChunk chunk;
    while ((chunk = tryTakeFree()) == null) {
      replayOneOrAwait();
    }
    return chunk;
  }

  private synchronized @Nullable FrameChunk tryTakeFree() throws IOException {
    rethrow(failure);
    FrameChunk chunk = empty.poll();
    if (chunk == null && batches < batchesMax) {
      batches++;
      chunk = new FrameChunk(settings.batchBytes());
    }
    return chunk;
  }

  /** Replays a waiting chunk, or waits until another thread has retired one. */
  private void replayOneOrAwait() {
    FrameChunk chunk = pollSubmittedOrAwaitRetired();
    if (chunk != null) {
      replay(chunk);
    }
  }

  private synchronized @Nullable FrameChunk pollSubmittedOrAwaitRetired() {
    long before = retired;
    try {
      while (waiting.isEmpty() && !underWay.isEmpty() && retired == before) {
        wait();
      }
    } catch (InterruptedException impossible) {
      throw interrupted(impossible);
    }
    return waiting.poll();
  }

  private static AssertionError interrupted(InterruptedException impossible) {
    return new AssertionError("recovery is for threads that are never interrupted", impossible);
  }

  /** Replays the chunk, or leaves it to another thread. */
  void submit(FrameChunk chunk) {
    if (chunk.isLarge()) {
      awaitReplayed();
    }
    boolean alone = !isForSeveral || bytes < settings.aloneBytes() || chunk.isLarge();
    if (!alone && !hasToldExpectation) {
      // This thread has replayed all before, and no other one runs yet.
      hasToldExpectation = true;
      receiver.expect(bytes, bytesTotal);
    }
    int length = chunk.length();
    chunk.number(numbered + 1);
    numbered += chunk.changes();
    synchronized (this) {
      underWay.add(chunk);
      if (!alone) {
        waiting.add(chunk);
        notifyAll();
      }
    }
    if (alone) {
      replay(chunk);
    } else if (workers.size() < settings.threads() - 1) {
      startWorker();
    }
    addReplayed(length);
  }

  private void startWorker() {
    UninterruptibleThread worker =
        new UninterruptibleThread("pensieve-recovery-" + (workers.size() + 1), this::work);
    workers.add(worker);
    try {
      worker.start();
    } catch (OutOfMemoryError noThreadToBeHad) {
      // Go on with one thread fewer: the reading thread replays what no other does.
    }
  }

  /**
   * Replays one frame that the reading thread has just read elsewhere, after everything submitted
   * has been replayed.
   */
  void replayLongFrame(FrameReader reader, long position, Path file, long offset)
      throws IOException {
    awaitReplayed();
    changesAlone += decoder.deliver(reader, numbered + 1, file, offset);
    numbered += reader.changes();
    addReplayed(reader.position() - position);
  }

  private void addReplayed(long more) {
    bytes += more;
    if (bytes - bytesReported >= PROGRESS_BYTES) {
      bytesReported = bytes;
      handler.progress(bytes, bytesTotal);
    }
  }

  private void work() {
    FrameChunk chunk;
    while ((chunk = awaitWaiting()) != null) {
      replay(chunk);
    }
  }

  private synchronized @Nullable FrameChunk awaitWaiting() {
    try {
      while (waiting.isEmpty() && !closed) {
        wait();
      }
    } catch (InterruptedException impossible) {
      throw interrupted(impossible);
    }
    return waiting.poll();
  }

  private void replay(FrameChunk chunk) {
    long told = 0;
    Throwable thrown = null;
    try {
      if (!hasFailed()) {
        told = chunk.replay(decoder);
      }
    } catch (Throwable any) { // perhaps from a codec; it ends the recovery
      thrown = any;
    }
    long end = retire(chunk, told, thrown);
    if (end > 0) {
      receiver.completeUpTo(end);
    }
  }

  private synchronized boolean hasFailed() {
    return failure != null;
  }

  /**
   * Retires a chunk. Answers the sequence up to which all is replayed, or 0 if that has not moved.
   */
  private synchronized long retire(FrameChunk chunk, long told, @Nullable Throwable thrown) {
    chunk.done = true;
    chunk.replayed = told;
    chunk.failure = thrown;
    long end = 0;
    for (FrameChunk first; (first = underWay.peek()) != null && first.done; ) {
      underWay.remove();
      retired++;
      if (failure == null) {
        failure = first.failure;
        changes += first.replayed;
        end = first.isOfBase() ? 0 : first.end();
      }
      first.clear();
      empty.add(first);
    }
    notifyAll();
    return failure == null ? end : 0;
  }

  /** Returns when everything submitted has been replayed, or throws the first failure. */
  void finish() throws IOException {
    awaitReplayed();
    synchronized (this) {
      rethrow(failure);
    }
  }

  // A long frame is read during its replay, so an IOException may occur there.
  private static void rethrow(@Nullable Throwable failure) throws IOException {
    if (failure instanceof IOException unread) {
      throw unread;
    }
    UninterruptibleThread.rethrow(failure);
  }

  /** Whether the handler needs a second pass, after it has received everything. */
  boolean needsSecondPass() {
    return receiver.needsSecondPass();
  }

  // A failure is kept, and thrown by the next call that checks it.
  private void awaitReplayed() {
    while (isUnderWay()) {
      replayOneOrAwait();
    }
  }

  private synchronized boolean isUnderWay() {
    return !underWay.isEmpty();
  }

  /** The number of changes replayed. */
  synchronized long changes() {
    return changes + changesAlone;
  }

  /** The number of changes and entries submitted, including close markers and padding. */
  long numbered() {
    return numbered;
  }

  /** The number of bytes of frames submitted. */
  long bytes() {
    return bytes;
  }

  /** Ends all threads. None of them replays anything afterwards. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      waiting.clear();
      notifyAll();
    }
    workers.forEach(UninterruptibleThread::await);
  }
}
