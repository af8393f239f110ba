package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A log in memory for tests: remembers every change, folds them as the documentation of {@link
 * Change} says, can hold back acknowledgements and can fail.
 */
final class RecordingLog<K, V> implements Log<K, V> {
  private final List<Change<K, V>> history = new ArrayList<>();
  private final List<List<Change<K, V>>> groups = new ArrayList<>();
  private final TreeMap<Long, CompletableFuture<Void>> waiting = new TreeMap<>();
  private long durableSequence = Long.MAX_VALUE;
  private @Nullable LogException failure;
  private boolean closed;
  private volatile Consumer<Change<K, V>> beforeAppend = change -> {};
  private volatile Runnable beforeClose = () -> {};

  /** A log that goes on where another one was closed. */
  synchronized RecordingLog<K, V> reopened() {
    RecordingLog<K, V> next = new RecordingLog<>();
    next.history.addAll(history);
    return next;
  }

  /**
   * From now on changes are acknowledged by {@link #acknowledge} alone. Before the map is opened.
   */
  RecordingLog<K, V> holdingBack() {
    durableSequence = history.size();
    return this;
  }

  /** Runs on the appending thread before each change is taken. */
  RecordingLog<K, V> beforeAppend(Consumer<Change<K, V>> action) {
    beforeAppend = action;
    return this;
  }

  /** Runs on the thread that closes this. */
  void beforeClose(Runnable action) {
    beforeClose = action;
  }

  synchronized void acknowledge(long sequence) {
    durableSequence = sequence;
    var done = waiting.headMap(sequence, true);
    done.values().forEach(future -> future.complete(null));
    done.clear();
    notifyAll();
  }

  synchronized void acknowledgeAll() {
    acknowledge(history.size());
  }

  synchronized void fail(LogException cause) {
    failure = cause;
    waiting.values().forEach(future -> future.completeExceptionally(cause));
    waiting.clear();
    notifyAll();
  }

  /** Refuses every append with this until told otherwise; goes on where it was then. */
  synchronized void refuse(@Nullable LogException cause) {
    failure = cause;
  }

  synchronized List<Change<K, V>> history() {
    return List.copyOf(history);
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /** The entries that the history leads to, coldest first. */
  Map<K, V> fold() {
    Map<K, V> entries = new LinkedHashMap<>(16, 0.75f, true);
    for (Change<K, V> change : history()) {
      if (change instanceof Change.Put<K, V> put) {
        entries.put(put.key(), put.value());
      } else if (change instanceof Change.Remove<K, V>) {
        entries.remove(change.key());
      } else {
        entries.get(change.key());
      }
    }
    return entries;
  }

  @Override
  public synchronized RecoveryReport replay(ReplayHandler<K, V> handler) {
    if (failure != null) {
      throw failure;
    }
    for (int i = 0; i < history.size(); i++) {
      handler.change(i + 1L, history.get(i));
      handler.progress(i + 1L, history.size());
    }
    return RecoveryReport.empty();
  }

  @Override
  public long append(Change<K, V> change) {
    beforeAppend.accept(change);
    return add(change);
  }

  @Override
  public long[] appendAtomically(List<Change<K, V>> changes) {
    changes.forEach(beforeAppend);
    return addAll(changes);
  }

  private synchronized long[] addAll(List<Change<K, V>> changes) {
    long[] sequences = changes.stream().mapToLong(this::add).toArray();
    groups.add(List.copyOf(changes));
    return sequences;
  }

  /** What was appended together, and how. */
  synchronized List<List<Change<K, V>>> groups() {
    return List.copyOf(groups);
  }

  private synchronized long add(Change<K, V> change) {
    if (failure != null) {
      throw failure;
    }
    if (closed) {
      throw new IllegalStateException("closed");
    }
    history.add(change);
    return history.size();
  }

  @Override
  public synchronized long durableSequence() {
    return durableSequence;
  }

  @Override
  public synchronized void awaitDurable(long sequence) {
    boolean interrupted = false;
    while (durableSequence < sequence) {
      if (failure != null) {
        throw failure;
      }
      try {
        wait();
      } catch (InterruptedException goOnWaiting) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public synchronized CompletableFuture<Void> whenDurable(long sequence) {
    return durableSequence >= sequence
        ? CompletableFuture.completedFuture(null)
        : waiting.computeIfAbsent(sequence, s -> new CompletableFuture<>());
  }

  @Override
  public void close() {
    beforeClose.run();
    synchronized (this) {
      closed = true;
    }
  }
}
