package io.pensieve.log.file;

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
 * Tells batches of frames to whoever replays: in order on the thread that reads them, or, if the
 * receiver takes changes in any order, on several threads.
 *
 * <p>For one thread, which reads all files: it takes an empty batch, fills it and submits it, again
 * and again. When there is no empty one it tells one itself.
 */
final class ReplayPipeline<K, V> implements AutoCloseable {
  // Of several failures the first one in the log counts, as if one thread had told everything. So
  // batches retire in the order in which they were submitted, and a failure is known as the first
  // one when its batch retires; what was submitted after it is not told any more.
  //
  // What is read and not yet told takes a share of the heap at most: the number of batches is
  // limited. A frame that is longer than a batch is told by the thread that reads it, one at a
  // time, and when everything before it has been told: the removals before it may be what makes
  // room for it.

  private static final int BATCHES_PER_THREAD = 4;
  private static final int BATCHES_MIN = 2;
  private static final int HEAP_SHARE = 32;
  private static final long PROGRESS_BYTES = 1 << 20;

  /**
   * How much is done at a time, and by how many.
   *
   * @param threads how many threads tell, the reading one included
   * @param batchBytes how many bytes a thread gets at a time
   * @param aloneBytes so many bytes the reading thread tells before it calls for others
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

  // Of the reading thread.
  private final List<UninterruptibleThread> workers = new ArrayList<>();
  private long numbered;
  private long bytes;
  private long bytesReported;
  private long changesAlone;

  // Guarded by this. A batch is empty, or waiting and under way, or under way.
  private final Deque<FrameChunk> empty = new ArrayDeque<>();
  private final Deque<FrameChunk> waiting = new ArrayDeque<>();
  private final Deque<FrameChunk> underWay = new ArrayDeque<>();
  private int batches;
  private long retired;
  private long changes;
  private @Nullable Throwable failure;
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

  /** A receiver that is told in order, since there is one thread. */
  private record OrderedHandler<K, V>(ReplayHandler<K, V> handler)
      implements ReplayHandler.Unordered<K, V> {
    // There are fewer entries than positions before the base's, so their numbers are below the
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

  /** A batch to be filled, when there is one. */
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

  /** Tells a batch that waits for that, or waits until another thread has told one. */
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

  /** Tells what was read, or leaves it to others. */
  void submit(FrameChunk chunk) {
    if (chunk.isLarge()) {
      awaitReplayed();
    }
    boolean alone = !isForSeveral || bytes < settings.aloneBytes() || chunk.isLarge();
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
      // One fewer, then; the reading thread tells what nobody else does.
    }
  }

  /**
   * Tells one frame that the reading thread has just read elsewhere, when everything that was
   * submitted has been told.
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
    } catch (Throwable any) { // of a codec, perhaps; it ends the recovery
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

  /** Answers up to which sequence every change has been told, or 0 if that is as it was. */
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

  /** Returns when everything that was submitted has been told, or throws the first failure. */
  void finish() throws IOException {
    awaitReplayed();
    synchronized (this) {
      rethrow(failure);
    }
  }

  // A long frame is read when it is told.
  private static void rethrow(@Nullable Throwable failure) throws IOException {
    if (failure instanceof IOException unread) {
      throw unread;
    }
    UninterruptibleThread.rethrow(failure);
  }

  /** Whether the receiver, who has been told everything, wants to be told again. */
  boolean needsSecondPass() {
    return receiver.needsSecondPass();
  }

  // A failure is kept for whoever asks next.
  private void awaitReplayed() {
    while (isUnderWay()) {
      replayOneOrAwait();
    }
  }

  private synchronized boolean isUnderWay() {
    return !underWay.isEmpty();
  }

  /** How many changes have been told. */
  synchronized long changes() {
    return changes + changesAlone;
  }

  /** How many changes and entries were submitted, close markers and padding included. */
  long numbered() {
    return numbered;
  }

  /** How many bytes of frames were submitted. */
  long bytes() {
    return bytes;
  }

  /** Ends all threads: none of them tells anything any more. */
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
