package io.pensieve.server.http;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.server.http.value.StoredValue;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** Its streams throw as many errors as they are told to, when there is a change. */
final class BrokenLog implements Log<String, StoredValue> {
  final AtomicInteger errors = new AtomicInteger();

  /** How often it was asked whether something is durable. */
  final AtomicInteger looks = new AtomicInteger();

  /** So many of the next looks at whether something is durable meet an error. */
  final AtomicInteger lookErrors = new AtomicInteger();

  /** The thread of the last write. */
  volatile String writer = "";

  private final Log<String, StoredValue> sound = Log.inMemory(100);

  @Override
  public RecoveryReport replay(ReplayHandler<String, StoredValue> handler) {
    return sound.replay(handler);
  }

  @Override
  public long append(Change<String, StoredValue> change) {
    writer = Thread.currentThread().getName();
    return sound.append(change);
  }

  @Override
  public long durableSequence() {
    return sound.durableSequence();
  }

  @Override
  public void awaitDurable(long sequence) {
    sound.awaitDurable(sequence);
  }

  @Override
  public CompletableFuture<Void> whenDurable(long sequence) {
    looks.incrementAndGet();
    if (lookErrors.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new OutOfMemoryError("as the test wants it");
    }
    return sound.whenDurable(sequence);
  }

  @Override
  public ChangeStream<String, StoredValue> changes() {
    ChangeStream<String, StoredValue> stream = sound.changes();
    return new ChangeStream<>() {
      @Override
      public List<Sequenced<String, StoredValue>> next(Duration patience)
          throws InterruptedException {
        List<Sequenced<String, StoredValue>> told = stream.next(patience);
        if (!told.isEmpty() && errors.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
          throw new OutOfMemoryError("as the test wants it");
        }
        return told;
      }

      @Override
      public long sequence() {
        return stream.sequence();
      }

      @Override
      public void close() {
        stream.close();
      }
    };
  }

  @Override
  public void close() {
    sound.close();
  }
}
