package io.pensieve.server.http.changes;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.server.http.value.StoredValue;
import java.time.Duration;
import java.util.List;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The changes that a client has not received yet. While paused they stay in the log, and this
 * object holds neither a file nor a value.
 */
final class ChangeBacklog implements AutoCloseable {
  private final LongFunction<ChangeStream<String, StoredValue>> log;

  @GuardedBy("this")
  private @Nullable ChangeStream<String, StoredValue> stream;

  @GuardedBy("this")
  private boolean closed;

  private volatile long sequence;

  /**
   * Creates a backlog that continues a stream.
   *
   * @param log opens another stream that continues after a sequence
   */
  ChangeBacklog(
      ChangeStream<String, StoredValue> stream,
      LongFunction<ChangeStream<String, StoredValue>> log) {
    this.stream = stream;
    this.sequence = stream.sequence();
    this.log = log;
  }

  /** Returns the last sequence that {@link #next} has reached. */
  long sequence() {
    return sequence;
  }

  /** Returns the next available changes, like {@link ChangeStream#next}; none if this is closed. */
  synchronized List<Sequenced<String, StoredValue>> next() throws InterruptedException {
    if (closed) {
      return List.of();
    }
    ChangeStream<String, StoredValue> open = stream;
    if (open == null) {
      open = log.apply(sequence);
      stream = open;
    }
    List<Sequenced<String, StoredValue>> changes = open.next(Duration.ZERO);
    sequence = open.sequence();
    return changes;
  }

  /** Closes the stream until the next call of {@link #next}. */
  synchronized void pause() {
    ChangeStream<String, StoredValue> open = stream;
    stream = null;
    if (open != null) {
      open.close();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    pause();
  }
}
