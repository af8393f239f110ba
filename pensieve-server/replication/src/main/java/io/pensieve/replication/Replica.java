package io.pensieve.replication;

import static java.util.Objects.requireNonNull;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LogException;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.RecentChanges;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.StandbyMap;
import io.pensieve.replication.RaftStatus.SavedSnapshot;
import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.format.EntryEncoder;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The parts of a log, and their threads, from its opening to its end. */
final class Replica<K, V> {
  private static final CompletableFuture<Void> PASSED = CompletableFuture.completedFuture(null);
  private static final int TICKS_PER_SECOND = 20;
  private static final int SECONDS_PER_BARRIER = 10; // while nobody wants to know the staleness
  private static final long WANTED_NANOS = TimeUnit.SECONDS.toNanos(SECONDS_PER_BARRIER);
  private static final int BARRIERS_MAX = 10_000;
  private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(10);

  final Acknowledgements acknowledgements;
  final Progress progress = new Progress();
  final NewestSnapshot newestSnapshot = new NewestSnapshot();
  final RequestOutcomes<V> requests;
  final RecentChanges<K, V> recent;
  final Leadership<K, V> leadership;
  final SharedBarrier barrier;

  private final Consensus consensus;
  private final Codec<K> keys;
  private final Codec<V> values;
  private final RaftSettings settings;
  private final ReplicaStateMachine<K, V> machine;
  private final Workers workers;
  private volatile @Nullable UpdateEncoder<K, V> updates; // null until a map follows
  private volatile @Nullable StandbyMap<K, V> map;
  private volatile @Nullable Snapshots<K, V> snapshots;
  private volatile @Nullable LogBackup<K, V> backup;
  private volatile @Nullable Throwable failure;
  private long ticks; // the timer's thread only
  private volatile long stalenessWantedAt = System.nanoTime(); // at the start, too

  @GuardedBy("this")
  private boolean isReplayed;

  @GuardedBy("this")
  private boolean isClosed;

  Replica(
      Consensus consensus, Codec<K> keys, Codec<V> values, RaftSettings settings, Workers workers) {
    this.workers = workers;
    this.consensus = consensus;
    this.keys = keys;
    this.values = values;
    this.settings = settings;
    acknowledgements = new Acknowledgements(workers);
    requests = new RequestOutcomes<>(settings);
    recent = new RecentChanges<>(settings.recentChanges(), settings.recentBytes(), change -> 0, 0);
    leadership = new Leadership<>(settings, requests);
    barrier = new SharedBarrier(consensus::readBarrier, workers);
    machine =
        new ReplicaStateMachine<>(
            new SnapshotLoader<>(
                keys, values, acknowledgements, requests, recent, progress, newestSnapshot),
            this::fail);
  }

  // ---- Opening

  RecoveryReport open(ReplayHandler<K, V> handler) {
    synchronized (this) {
      if (isReplayed || isClosed) {
        throw new IllegalStateException("the log was opened before");
      }
      isReplayed = true;
    }
    machine.begin(handler);
    boolean started = false;
    try {
      RecoveryReport report = start();
      workers.begin(packer(), this::tick);
      started = true;
      return report;
    } finally {
      if (!started) {
        close();
      }
    }
  }

  private Packer<K, V> packer() {
    Touches<K, V> touches =
        new Touches<>(new EntryEncoder<>(keys, values), settings.mapEntries(), this::drainUses);
    return new Packer<>(settings, leadership, touches, consensus);
  }

  private void drainUses(Consumer<K> used) {
    StandbyMap<K, V> followed = map;
    if (followed != null) {
      followed.drainUses(used);
    }
  }

  private RecoveryReport start() {
    try {
      consensus.start(machine);
      return machine.endOfStart();
    } catch (IOException | RuntimeException failed) {
      machine.endOfStart(); // throws what it found in the snapshot, if that is why
      throw failed instanceof LogException known
          ? known
          : new LogException.Failed("this member cannot start: " + failed.getMessage(), failed);
    }
  }

  void attach(LiveEntries<K, V> live) {
    backup = new LogBackup<>(keys, values, live, leadership, acknowledgements, progress);
    snapshots =
        new Snapshots<>(
            settings,
            keys,
            values,
            consensus,
            live,
            leadership,
            acknowledgements,
            requests,
            progress,
            newestSnapshot);
  }

  /** A backup of the map; null before there is one. */
  @Nullable LogBackup<K, V> backup() {
    return backup;
  }

  void follow(StandbyMap<K, V> standby) {
    map = standby;
    updates = new UpdateEncoder<>(settings, standby, requests, keys, values);
    machine.open(
        new EntryApplier<>(
            settings,
            standby,
            keys,
            values,
            leadership,
            acknowledgements,
            requests,
            recent,
            progress),
        standby);
  }

  UpdateEncoder<K, V> updates() {
    return requireNonNull(updates, "no map follows this log yet");
  }

  @Nullable Snapshots<K, V> snapshots() {
    return snapshots;
  }

  @Nullable Throwable failure() {
    return failure;
  }

  LogStatistics statistics() {
    Throwable failed = failure;
    Optional<String> failedFor = Optional.ofNullable(failed).map(Throwable::toString);
    Snapshots<K, V> attached = snapshots;
    return new LogStatistics(
        progress.bytes(),
        leadership.waitingBytes(),
        progress.commits(),
        Duration.ofNanos(progress.commitNanos()),
        Duration.ofNanos(progress.longestCommitNanos()),
        newestSnapshot.get().map(SavedSnapshot::bytes).orElse(0L),
        attached == null ? 0 : attached.bytesSince(),
        attached == null ? 0 : attached.saves(),
        attached == null ? 0 : attached.failures(),
        Duration.ZERO,
        Optional.empty(),
        Duration.ZERO,
        failedFor,
        failedFor, // that another member leads is no failure
        0,
        0);
  }

  /**
   * While this node leads and holds the engine's lease, the map shows all that was acknowledged
   * anywhere, or makes readers wait for it. Otherwise the engine must ask.
   */
  CompletableFuture<Void> readBarrier() {
    return leadership.isLeading() && consensus.holdsLease() ? PASSED : barrier.pass();
  }

  // ---- At work

  private void tick() {
    if (++ticks % TICKS_PER_SECOND == 0) {
      if (leadership.isLeading()) {
        moveOnBehindBarriers();
      } else if (mustKnowStaleness()) {
        CompletableFuture<Void> unused = barrier.pass();
      }
      Snapshots<K, V> attached = snapshots;
      if (attached != null && attached.isDue()) {
        workers.executeLong(() -> saveDue(attached));
      }
    }
  }

  // The barriers of a cluster that is only read are entries of the engine, of which the machine
  // gets none. A snapshot contains them once there is an entry behind them; until then they are
  // kept.
  private void moveOnBehindBarriers() {
    long barriers = consensus.status().applied() - progress.applied().position().index();
    if (barriers > BARRIERS_MAX) {
      leadership.moveOn();
    }
  }

  // A barrier may cost the leader an entry: few, if nobody looks.
  private boolean mustKnowStaleness() {
    return System.nanoTime() - stalenessWantedAt < WANTED_NANOS
        || ticks % (SECONDS_PER_BARRIER * TICKS_PER_SECOND) == 0;
  }

  Optional<Duration> staleness() {
    stalenessWantedAt = System.nanoTime();
    return barrier.staleness();
  }

  private void saveDue(Snapshots<K, V> attached) {
    try {
      if (attached.isDue() && attached.save()) {
        newestSnapshot
            .get()
            .ifPresent(
                saved ->
                    settings
                        .onEvent()
                        .accept(
                            "saved a snapshot of "
                                + saved.bytes()
                                + " bytes at index "
                                + saved.index()));
      }
    } catch (IOException | RuntimeException | Error failed) {
      if (!hasEnded()) {
        settings.onEvent().accept("could not save a snapshot, and will try again: " + failed);
      }
    }
  }

  // ---- The end

  private void fail(Throwable cause) {
    synchronized (this) {
      if (isClosed || failure != null) {
        return;
      }
      failure = cause;
    }
    end(
        () ->
            new LogException.Failed(
                "this member of the cluster has failed, and must be started again: " + cause,
                cause));
    settings.onFailure().accept(cause);
  }

  private void end(Supplier<LogException> reason) {
    leadership.end(reason);
    acknowledgements.fail(reason);
    recent.close(reason);
  }

  void close() {
    synchronized (this) {
      if (isClosed) {
        return;
      }
      isClosed = true;
    }
    if (updates == null) {
      machine.end();
    } else {
      leadership.awaitCommitted(CLOSE_NANOS);
    }
    leadership.end(Replica::closed);
    workers.endSoon();
    try {
      consensus.close();
    } finally {
      machine.end();
      acknowledgements.fail(
          () ->
              new LogException.OutcomeUnknown(
                  "the log was closed before the change was acknowledged"));
      recent.close(Replica::closed);
      workers.end();
    }
  }

  private synchronized boolean hasEnded() {
    return isClosed || failure != null;
  }

  private static IllegalStateException closed() {
    return new IllegalStateException("the log is closed");
  }
}
