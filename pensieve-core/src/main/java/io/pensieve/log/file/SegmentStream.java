package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The changes of a log in use, read from its segments. */
final class SegmentStream<K, V> implements ChangeStream<K, V> {
  // The stream reads only acknowledged changes, so it meets no incomplete frame. No thread waits:
  // the log writer writes beyond the high watermark, and the compactor may delete a file while it
  // is read.

  private final LogDirectory directory;
  private final HighWatermark watermark;
  private final ChangeDecoder<K, V> decoder;
  private final List<Sequenced<K, V>> told = new ArrayList<>(); // guarded by this
  private @Nullable SegmentCursor cursor; // guarded by this; null until there is a change to read
  private volatile long sequence; // changed under this
  private volatile boolean closed;

  /** Opens a stream of the changes behind a position, and checks that the log still has them. */
  SegmentStream(
      LogDirectory directory, HighWatermark watermark, Codec<K> keys, Codec<V> values, long since) {
    this.directory = directory;
    this.watermark = watermark;
    this.decoder = new ChangeDecoder<>(keys, values, new Receiver());
    this.sequence = since;
    if (since <= watermark.position()) {
      reading(() -> open(watermark.position()));
    }
  }

  private final class Receiver implements ReplayHandler.Unordered<K, V> {
    @Override
    public void change(long number, long stamp, Change<K, V> change) {
      if (number > sequence && !(change instanceof Change.Touch)) {
        told.add(new Sequenced<>(number, change));
      }
    }

    @Override
    public void entry(Change.Put<K, V> put, long version, long stamp) {
      throw new AssertionError("segments have no entries");
    }

    @Override
    public void completeUpTo(long end) {}
  }

  @Override
  public List<Sequenced<K, V>> next(Duration patience) throws InterruptedException {
    long start = System.nanoTime();
    long nanos = TimeUnit.NANOSECONDS.convert(patience);
    while (true) {
      boolean hasEnded = watermark.hasEnded(); // read before the position: the last changes count
      long reached = watermark.position();
      List<Sequenced<K, V>> found = reading(() -> read(reached));
      long left = nanos - (System.nanoTime() - start);
      if (!found.isEmpty() || closed) {
        return found;
      } else if (hasEnded) {
        throw watermark.endReason();
      } else if (left <= 0) {
        return found;
      }
      watermark.await(reached, () -> !closed, left);
    }
  }

  private interface Reading<T> {
    T run() throws IOException;
  }

  // An interrupt closes the file that its thread is reading. Then the stream opens it again.
  private synchronized <T> T reading(Reading<T> work) {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          return work.run();
        } catch (ClosedByInterruptException again) {
          interrupted |= Thread.interrupted();
        }
      }
    } catch (IOException broken) {
      throw new LogException.Failed("cannot read " + directory.folder() + ": " + broken, broken);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private SegmentCursor open(long reached) throws IOException {
    SegmentCursor opened = cursor;
    if (opened == null) {
      opened = SegmentCursor.open(directory, watermark, sequence, reached);
      cursor = opened;
    }
    return opened;
  }

  private List<Sequenced<K, V>> read(long reached) throws IOException {
    try {
      readSome(reached);
      return List.copyOf(told);
    } finally {
      told.clear(); // the receiver of the copy keeps the changes
    }
  }

  private void readSome(long reached) throws IOException {
    while (told.isEmpty() && sequence < reached && !closed) {
      SegmentCursor from = open(reached);
      try {
        from.replay(decoder, reached);
      } catch (LogException broken) {
        // Deliver the changes before it first. The next call meets the failure again.
        told.removeIf(change -> change.sequence() > from.position());
        if (told.isEmpty()) {
          throw broken;
        }
      } catch (IOException | RuntimeException | Error unread) {
        release(); // the cursor may be beyond the delivered changes
        throw unread;
      }
      // A cursor that has passed a session without a change is where the present one begins. The
      // log has given no position there yet, so nobody could resume from it.
      sequence = Math.max(sequence, Math.min(from.position(), reached));
    }
  }

  @Override
  public long sequence() {
    return sequence;
  }

  @Override
  public void close() {
    closed = true;
    watermark.wake();
    boolean interrupted = Thread.interrupted();
    release();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void release() {
    SegmentCursor open = cursor;
    cursor = null;
    try {
      if (open != null) {
        open.close();
      }
    } catch (IOException nothingIsLost) {
      // The file was only read, so nothing is lost.
    }
  }
}
