package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Replay;
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
final class Telling<K, V> implements AutoCloseable {
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
  private final Replay<K, V> replay;
  private final Replay.AnyOrder<K, V> receiver;
  private final boolean isForSeveral;
  private final Teller<K, V> teller;
  private final long bytesTotal;
  private final long batchesMax;

  // Of the reading thread.
  private final List<DeafThread> workers = new ArrayList<>();
  private long numbered;
  private long bytes;
  private long bytesReported;
  private long changesAlone;

  // Guarded by this. A batch is empty, or waiting and under way, or under way.
  private final Deque<Batch> empty = new ArrayDeque<>();
  private final Deque<Batch> waiting = new ArrayDeque<>();
  private final Deque<Batch> underWay = new ArrayDeque<>();
  private int batches;
  private long retired;
  private long changes;
  private @Nullable Throwable failure;
  private boolean closed;

  Telling(
      Settings settings,
      Codec<K> keyCodec,
      Codec<V> valueCodec,
      Replay<K, V> replay,
      long bytesTotal) {
    this.settings = settings;
    this.replay = replay;
    Optional<Replay.AnyOrder<K, V>> anyOrder = replay.inAnyOrder();
    this.isForSeveral = anyOrder.isPresent() && settings.threads() > 1;
    this.receiver = anyOrder.orElseGet(() -> new InOrder<>(replay));
    this.bytesTotal = bytesTotal;
    this.batchesMax = batchesMax(settings, Runtime.getRuntime().maxMemory());
    this.teller = new Teller<>(keyCodec, valueCodec, receiver);
  }

  private static long batchesMax(Settings settings, long heapBytes) {
    long fitting = heapBytes / HEAP_SHARE / settings.batchBytes();
    return Math.max(BATCHES_MIN, Math.min((long) BATCHES_PER_THREAD * settings.threads(), fitting));
  }

  /** A receiver that is told in order, since there is one thread. */
  private record InOrder<K, V>(Replay<K, V> replay) implements Replay.AnyOrder<K, V> {
    // There are fewer entries than positions before the base's, so their numbers are below the
    // sequences that follow.
    @Override
    public void entry(Change.Put<K, V> put, long version, long stamp) {
      replay.entry(put, version, stamp);
    }

    @Override
    public void change(long sequence, long stamp, Change<K, V> change) {
      replay.change(sequence, change);
    }

    @Override
    public void toldUpTo(long sequence) {}
  }

  /** A batch to be filled, when there is one. */
  Batch take() throws IOException {
    Batch batch;
    while ((batch = tryTake()) == null) {
      help();
    }
    return batch;
  }

  private synchronized @Nullable Batch tryTake() throws IOException {
    rethrow(failure);
    Batch batch = empty.poll();
    if (batch == null && batches < batchesMax) {
      batches++;
      batch = new Batch(settings.batchBytes());
    }
    return batch;
  }

  /** Tells a batch that waits for that, or waits until another thread has told one. */
  private void help() {
    Batch batch = pollWaitingOrAwaitRetired();
    if (batch != null) {
      tell(batch);
    }
  }

  private synchronized @Nullable Batch pollWaitingOrAwaitRetired() {
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
  void submit(Batch batch) {
    if (batch.isLarge()) {
      awaitTold();
    }
    boolean alone = !isForSeveral || bytes < settings.aloneBytes() || batch.isLarge();
    int length = batch.length();
    batch.number(numbered + 1);
    numbered += batch.changes();
    synchronized (this) {
      underWay.add(batch);
      if (!alone) {
        waiting.add(batch);
        notifyAll();
      }
    }
    if (alone) {
      tell(batch);
    } else if (workers.size() < settings.threads() - 1) {
      startWorker();
    }
    told(length);
  }

  private void startWorker() {
    DeafThread worker = new DeafThread("pensieve-recovery-" + (workers.size() + 1), this::work);
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
  void tell(FrameReader reader, long position, Path file, long offset) throws IOException {
    awaitTold();
    changesAlone += teller.tell(reader, numbered + 1, file, offset);
    numbered += reader.changes();
    told(reader.position() - position);
  }

  private void told(long more) {
    bytes += more;
    if (bytes - bytesReported >= PROGRESS_BYTES) {
      bytesReported = bytes;
      replay.progress(bytes, bytesTotal);
    }
  }

  private void work() {
    Batch batch;
    while ((batch = awaitWaiting()) != null) {
      tell(batch);
    }
  }

  private synchronized @Nullable Batch awaitWaiting() {
    try {
      while (waiting.isEmpty() && !closed) {
        wait();
      }
    } catch (InterruptedException impossible) {
      throw interrupted(impossible);
    }
    return waiting.poll();
  }

  private void tell(Batch batch) {
    long told = 0;
    Throwable thrown = null;
    try {
      if (!hasFailed()) {
        told = batch.tell(teller);
      }
    } catch (Throwable any) { // of a codec, perhaps; it ends the recovery
      thrown = any;
    }
    long end = retire(batch, told, thrown);
    if (end > 0) {
      receiver.toldUpTo(end);
    }
  }

  private synchronized boolean hasFailed() {
    return failure != null;
  }

  /** Answers up to which sequence every change has been told, or 0 if that is as it was. */
  private synchronized long retire(Batch batch, long told, @Nullable Throwable thrown) {
    batch.done = true;
    batch.told = told;
    batch.failure = thrown;
    long end = 0;
    for (Batch first; (first = underWay.peek()) != null && first.done; ) {
      underWay.remove();
      retired++;
      if (failure == null) {
        failure = first.failure;
        changes += first.told;
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
    awaitTold();
    synchronized (this) {
      rethrow(failure);
    }
  }

  // A long frame is read when it is told.
  private static void rethrow(@Nullable Throwable failure) throws IOException {
    if (failure instanceof IOException unread) {
      throw unread;
    }
    DeafThread.rethrow(failure);
  }

  /** Whether the receiver, who has been told everything, wants to be told again. */
  boolean isAgainWanted() {
    return receiver.again();
  }

  // A failure is kept for whoever asks next.
  private void awaitTold() {
    while (isUnderWay()) {
      help();
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
    workers.forEach(DeafThread::await);
  }
}
