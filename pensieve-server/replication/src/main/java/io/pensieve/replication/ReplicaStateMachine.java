package io.pensieve.replication;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.StandbyMap;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.StateMachine;
import io.pensieve.replication.format.EntryHeader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the engine calls. At the start it loads the snapshot into the map that is being opened.
 * Everything else waits until there is a map. After an exception nothing more is applied.
 */
final class ReplicaStateMachine<K, V> implements StateMachine {
  private final SnapshotLoader<K, V> loader;
  private final Consumer<Throwable> onFailure;
  private final CountDownLatch opened = new CountDownLatch(1);
  private volatile boolean hasEnded;

  @GuardedBy("this")
  private @Nullable ReplayHandler<K, V> handler; // not null while the map is being opened

  @GuardedBy("this")
  private @Nullable RuntimeException refusal; // of the snapshot, at the start

  @GuardedBy("this")
  private RecoveryReport report = RecoveryReport.empty();

  // Stored once, before `opened` is counted down.
  private @Nullable EntryApplier<K, V> applier;
  private @Nullable StandbyMap<K, V> map;

  ReplicaStateMachine(SnapshotLoader<K, V> loader, Consumer<Throwable> onFailure) {
    this.loader = loader;
    this.onFailure = onFailure;
  }

  /** The engine is about to start: a snapshot goes to this map. */
  synchronized void begin(ReplayHandler<K, V> opening) {
    handler = opening;
  }

  /** The engine has started. Throws what it found in the snapshot. */
  synchronized RecoveryReport endOfStart() {
    handler = null;
    RuntimeException refused = refusal;
    if (refused != null) {
      throw refused;
    }
    return report;
  }

  /** From now on the engine's calls reach the map. */
  void open(EntryApplier<K, V> newApplier, StandbyMap<K, V> newMap) {
    applier = newApplier;
    map = newMap;
    opened.countDown();
  }

  /** Nothing more is applied. */
  void end() {
    hasEnded = true;
    opened.countDown();
  }

  private interface Call<K, V> {
    void on(EntryApplier<K, V> applier, StandbyMap<K, V> map) throws IOException;
  }

  private void call(Call<K, V> call) {
    try {
      opened.await();
      EntryApplier<K, V> openedApplier = applier;
      StandbyMap<K, V> openedMap = map;
      if (hasEnded || openedApplier == null || openedMap == null) {
        throw new IllegalStateException("the log is closed");
      }
      call.on(openedApplier, openedMap);
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the log was being opened", closing);
    } catch (IOException unreadable) {
      fail(unreadable);
      throw new UncheckedIOException(unreadable);
    } catch (RuntimeException | Error failed) {
      fail(failed);
      throw failed;
    }
  }

  @Override
  public void apply(LogPosition position, byte[] entry) {
    call((to, unused) -> to.apply(position, entry));
  }

  // The followers learn of the commit of an entry without changes only with the next one, and the
  // leader makes that only for changes.
  @Override
  public boolean isVisible(byte[] entry) {
    EntryHeader header = EntryHeader.read(entry);
    return header.isBegin() || header.count() > 0;
  }

  @Override
  public void lead(long term) {
    call((to, unused) -> to.lead(term));
  }

  @Override
  public void follow() {
    if (!hasEnded) { // the engine says so, too, when it is closed
      call((to, unused) -> to.follow());
    }
  }

  @Override
  public void restore(LogPosition position, Path snapshot) {
    if (!restoreAtStart(snapshot)) {
      call(
          (to, given) -> {
            to.endLead(false);
            loader.load(snapshot, given);
          });
    }
  }

  // The map that is being opened is empty, so it takes one snapshot, and no second one.
  private synchronized boolean restoreAtStart(Path snapshot) {
    ReplayHandler<K, V> opening = handler;
    if (opening == null) {
      return false;
    }
    handler = null;
    try {
      report = loader.load(snapshot, opening);
      return true;
    } catch (IOException unreadable) {
      refusal = new UncheckedIOException(snapshot + ": " + unreadable.getMessage(), unreadable);
      throw new UncheckedIOException(unreadable);
    } catch (RuntimeException damaged) {
      refusal = damaged;
      throw damaged;
    }
  }

  @Override
  public void fail(Throwable cause) {
    if (!hasEnded) {
      hasEnded = true;
      onFailure.accept(cause);
    }
  }
}
