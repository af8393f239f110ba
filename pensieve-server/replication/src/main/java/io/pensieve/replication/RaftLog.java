package io.pensieve.replication;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LogException;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.ReplicatedLog;
import io.pensieve.log.StandbyMap;
import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.ConsensusStatus;
import io.pensieve.replication.consensus.ConsensusStatus.MemberProgress;
import io.pensieve.replication.consensus.Member;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A log that lives on several machines. The member that leads executes all writes, and replicates
 * the changes they make. A change is acknowledged when a majority of the members has forced it to
 * disk and it was applied here. The module's DESIGN.md has the whole, and why it is right.
 *
 * <p>On a member that does not lead, the map is a standby: it shows what was acknowledged and has
 * arrived here, and writes throw {@link LogException.ReadOnly}. When this member loses the lead,
 * writes that are not acknowledged fail with {@link LogException.OutcomeUnknown}: the next leader
 * may or may not have them.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class RaftLog<K, V> implements ReplicatedLog<K, V> {
  private final Consensus consensus;
  private final Replica<K, V> replica;

  RaftLog(Builder<K, V> builder, Workers workers) {
    consensus = builder.consensus;
    replica = new Replica<>(consensus, builder.keys, builder.values, builder.settings(), workers);
  }

  /**
   * Returns a builder of a log on this engine. The log starts the engine when a map is opened on
   * it, and closes it. If the opening fails, both are of no more use.
   */
  public static <K, V> Builder<K, V> on(Consensus consensus, Codec<K> keys, Codec<V> values) {
    return new Builder<>(consensus, keys, values);
  }

  // ---- The cluster

  /** The state of this log. */
  public RaftStatus status() {
    ConsensusStatus engine = consensus.status();
    Progress progress = replica.progress;
    Optional<Member> leader =
        engine
            .leader()
            .flatMap(
                id ->
                    engine.members().stream()
                        .map(MemberProgress::member)
                        .filter(member -> member.id().equals(id))
                        .findFirst());
    return new RaftStatus(
        engine.role(),
        engine.term(),
        leader,
        engine.committed(),
        engine.applied(),
        engine.members(),
        isLeading(),
        !isReadable(),
        durableSequence(),
        replica.leadership.waitingChanges(),
        replica.leadership.waitingBytes(),
        progress.leads(),
        progress.commits(),
        Duration.ofNanos(progress.commitNanos()),
        Duration.ofNanos(progress.longestCommitNanos()),
        replica.newestSnapshot.get(),
        Optional.ofNullable(replica.failure()).map(Throwable::toString));
  }

  Progress progress() {
    return replica.progress;
  }

  @Nullable Snapshots<K, V> snapshots() {
    return replica.snapshots();
  }

  /** Whether writes are executed on this node, because it leads. */
  public boolean isLeading() {
    return replica.leadership.isLeading();
  }

  /** Whether the map is consistent. If not, it was loaded from a snapshot and still catches up. */
  public boolean isReadable() {
    return replica.progress.isComplete();
  }

  /**
   * Completes when the map shows everything that was acknowledged anywhere before this call: reads
   * after it are linearizable. On any node. All calls that wait share one round trip. Fails with
   * the engine's exception if no leader answers. Dependent actions may block.
   */
  public CompletableFuture<Void> readBarrier() {
    return replica.readBarrier();
  }

  /**
   * How old the map may be at most: how long ago this node last knew that it showed everything that
   * was acknowledged anywhere. It asks once a second, or each ten seconds if nobody has called this
   * for so long. Empty if it never knew.
   */
  public Optional<Duration> staleness() {
    return replica.staleness();
  }

  /**
   * Hands the leadership over.
   *
   * @param to the member's id; empty for the one that is most up to date
   * @return fails if this node does not lead, or if nobody takes over in time
   */
  public CompletableFuture<Void> transferLeadership(Optional<String> to, Duration patience) {
    return consensus.transferLeadership(to, patience);
  }

  /**
   * Adds a member, whose process waits to be added. Fails if this node does not lead, or if there
   * is a member of that id.
   */
  public CompletableFuture<Void> addMember(Member member) {
    return changeMembers(Optional.empty(), Optional.of(member));
  }

  /** Removes a member. Fails if this node does not lead, or if there is no such member. */
  public CompletableFuture<Void> removeMember(String id) {
    return changeMembers(Optional.of(id), Optional.empty());
  }

  /** Removes a member and adds another one in its place, in one step. */
  public CompletableFuture<Void> replaceMember(String id, Member member) {
    return changeMembers(Optional.of(id), Optional.of(member));
  }

  private CompletableFuture<Void> changeMembers(Optional<String> removed, Optional<Member> added) {
    List<Member> members =
        new ArrayList<>(consensus.status().members().stream().map(MemberProgress::member).toList());
    if (removed.isPresent() && !members.removeIf(member -> member.id().equals(removed.get()))) {
      return CompletableFuture.failedFuture(
          new IllegalArgumentException("no member has the id " + removed.get()));
    }
    for (Member member : members) {
      if (added.isPresent() && member.id().equals(added.get().id())) {
        return CompletableFuture.failedFuture(
            new IllegalArgumentException("a member has the id " + member.id() + " already"));
      }
    }
    added.ifPresent(members::add);
    return consensus.setMembers(members);
  }

  // ---- Requests

  /**
   * Runs an update as the request with this id, unless that request is known. The log remembers
   * with the changes of the update's first write that this request made them, on all members.
   *
   * @param requestId from 1 to 256 characters
   * @param update calls one method of the map that writes, in this thread; does not return null
   * @return what the update returns; empty if the request is known: see {@link #outcome}
   * @throws LogException.Overloaded if another thread is executing this request
   */
  public <T> Optional<T> execute(String requestId, Supplier<T> update) {
    return replica.requests.execute(requestId, update);
  }

  /**
   * What the request with this id has changed. Empty if it is not known: it was not executed, or
   * changed nothing, or is forgotten. It may not be acknowledged yet: show it once {@link
   * #whenDurable} has completed for its version. On a follower, call it after a {@link
   * #readBarrier}.
   */
  public Optional<RequestOutcome<V>> outcome(String requestId) {
    return replica.requests.outcome(requestId);
  }

  // ---- The log

  @Override
  public RecoveryReport replay(ReplayHandler<K, V> handler) {
    return replica.open(handler);
  }

  @Override
  public void attach(LiveEntries<K, V> live) {
    replica.attach(live);
  }

  @Override
  public void follow(StandbyMap<K, V> map) {
    replica.follow(map);
  }

  // A touch has no number of its own; the log finds the used keys by itself.
  @Override
  public long append(Change<K, V> change) {
    if (change instanceof Change.Touch) {
      return replica.leadership.lastGiven();
    }
    return replica.leadership.add(replica.updates().of(List.of(change)));
  }

  @Override
  public long[] appendAtomically(List<Change<K, V>> changes) {
    if (changes.isEmpty() || changes.stream().anyMatch(change -> change instanceof Change.Touch)) {
      throw new IllegalArgumentException("no changes, or a touch among them");
    }
    long[] sequences = new long[changes.size()]; // before: once the log has them, nothing may fail
    long first = replica.leadership.add(replica.updates().of(List.copyOf(changes)));
    for (int i = 0; i < sequences.length; i++) {
      sequences[i] = first + i;
    }
    return sequences;
  }

  @Override
  public ChangeStream<K, V> changes() {
    return replica.recent.changes();
  }

  @Override
  public ChangeStream<K, V> changes(long since) {
    return replica.recent.changes(since);
  }

  /**
   * Copies the map to the folder of a {@link io.pensieve.log.file.FileLog}, on any member. A single
   * node opens it as it is; the entries have new versions there.
   *
   * @throws LogException.OutcomeUnknown if no leader answers, or if this node loses the leadership
   *     again and again meanwhile
   */
  @Override
  public void backup(Path folder) {
    LogBackup<K, V> backup = requireNonNull(replica.backup(), "no map is open on this log");
    try {
      readBarrier().join();
    } catch (CompletionException noLeader) {
      throw new LogException.OutcomeUnknown("no backup, since no leader answers: " + noLeader);
    }
    backup.write(folder);
  }

  @Override
  public LogStatistics statistics() {
    return replica.statistics();
  }

  @Override
  public boolean isVoid(long sequence) {
    return replica.acknowledgements.isVoid(sequence);
  }

  @Override
  public long durableSequence() {
    return replica.acknowledgements.durable();
  }

  @Override
  public void awaitDurable(long sequence) {
    replica.acknowledgements.await(sequence);
  }

  @Override
  public CompletableFuture<Void> whenDurable(long sequence) {
    return replica.acknowledgements.whenDurable(sequence);
  }

  // If this node leads when the barrier has passed, it has led since before the barrier began, or
  // the map's lead has ended meanwhile, which the map notices.
  @Override
  public CompletableFuture<Void> confirmLead() {
    CompletableFuture<Void> confirmed = new CompletableFuture<>();
    CompletableFuture<Void> unused =
        readBarrier()
            .whenComplete(
                (passed, failure) -> {
                  if (failure == null && isLeading()) {
                    confirmed.complete(null);
                  } else {
                    confirmed.completeExceptionally(
                        new LogException.OutcomeUnknown(
                            "this node may have been ousted, and what it found be out of date"));
                  }
                });
    return confirmed;
  }

  @Override
  public void close() {
    replica.close();
  }

  // ---- Settings

  /** The settings of a log. Each setter checks its argument at once. Not thread-safe. */
  public static final class Builder<K, V> {
    private static final int CHANGES_MAX = 1 << 20; // far below ChainEnd.GAP

    private final Consensus consensus;
    private final Codec<K> keys;
    private final Codec<V> values;
    private int entriesUnderWay = 4;
    private int changesPerEntry = 256;
    private int bytesPerEntry = 1 << 20;
    private int maximumChangeBytes = (8 << 20) - (64 << 10);
    private long mapEntries = 1_000;
    private int waitingChanges = 1 << 16;
    private long waitingBytes = 64 << 20;
    private int recentChanges = 1 << 16;
    private long recentBytes = 64 << 20;
    private long snapshotChanges = 1_000_000;
    private long snapshotBytes = 256 << 20;
    private Duration snapshotTime = Duration.ofHours(1);
    private int requestIds = 1 << 16;
    private Duration requestTime = Duration.ofMinutes(10);
    private Consumer<Throwable> onFailure = cause -> {};
    private Consumer<String> onEvent = event -> {};
    private LongConsumer onCommit = nanos -> {};
    private InstantSource clock = InstantSource.system();
    private LongSupplier nanoTime = System::nanoTime;

    private Builder(Consensus consensus, Codec<K> keys, Codec<V> values) {
      this.consensus = requireNonNull(consensus);
      this.keys = requireNonNull(keys);
      this.values = requireNonNull(values);
    }

    private static long require(String what, long value, long min, long max) {
      if (value < min || value > max) {
        throw new IllegalArgumentException(
            what + " must be from " + min + " to " + max + ": " + value);
      }
      return value;
    }

    /** How many entries are on their way to the members at a time, from 1 to 64. Default 4. */
    public Builder<K, V> entriesUnderWay(int entries) {
      entriesUnderWay = (int) require("entries", entries, 1, 64);
      return this;
    }

    /** How many changes an entry has at most, unless they are one batch. Default 256. */
    public Builder<K, V> changesPerEntry(int changes) {
      changesPerEntry = (int) require("changes", changes, 1, 1 << 16);
      return this;
    }

    /** How many bytes an entry has at most, unless it is a single write. Default 1 MiB. */
    public Builder<K, V> bytesPerEntry(int bytes) {
      bytesPerEntry = (int) require("bytes", bytes, 1, 8 << 20);
      return this;
    }

    /**
     * The maximum size of a write, or of a batch, in bytes. A larger one is refused with an {@link
     * IllegalArgumentException}. The engine must take entries of that size and 64 KiB. Default 8
     * MiB less 64 KiB.
     */
    public Builder<K, V> maximumChangeBytes(int bytes) {
      maximumChangeBytes = (int) require("bytes", bytes, 1, 64 << 20);
      return this;
    }

    /** About how many entries the map has at most: how late uses are replicated. Default 1,000. */
    public Builder<K, V> mapEntries(long entries) {
      mapEntries = require("entries", entries, 1, Long.MAX_VALUE);
      return this;
    }

    /**
     * How many changes may wait to be acknowledged, and how many bytes. Beyond that, puts are
     * refused with {@link LogException.Overloaded}; removals at the double. Default 65,536 and 64
     * MiB.
     */
    public Builder<K, V> maximumWaiting(int changes, long bytes) {
      waitingChanges = (int) require("changes", changes, 1, CHANGES_MAX);
      waitingBytes = require("bytes", bytes, 1, Long.MAX_VALUE / 4);
      return this;
    }

    /** How many recent changes are kept for streams, and how many bytes. Default 65,536, 64 MiB. */
    public Builder<K, V> recentChanges(int changes, long bytes) {
      recentChanges = (int) require("changes", changes, 1, 1 << 24);
      recentBytes = require("bytes", bytes, 1, Long.MAX_VALUE);
      return this;
    }

    /**
     * When the log saves a snapshot: after so many changes, or bytes, or after this time if
     * anything was changed. Default 1,000,000 changes, 256 MiB, 1 hour.
     */
    public Builder<K, V> snapshotEvery(long changes, long bytes, Duration time) {
      snapshotChanges = require("changes", changes, 1, Long.MAX_VALUE);
      snapshotBytes = require("bytes", bytes, 1, Long.MAX_VALUE);
      snapshotTime = requireNonNull(time);
      return this;
    }

    /** How many ids of requests the log remembers, and for how long. Default 65,536, 10 minutes. */
    public Builder<K, V> requestIds(int number, Duration time) {
      requestIds = (int) require("the number", number, 0, 1 << 24);
      requestTime = requireNonNull(time);
      return this;
    }

    /** Called once if this member cannot go on: the process should end. Default: nothing. */
    public Builder<K, V> onFailure(Consumer<Throwable> listener) {
      onFailure = requireNonNull(listener);
      return this;
    }

    /**
     * Called with each event that an operator wants to know, in one line: leads, leads no more, a
     * snapshot was saved. Must not block. Default: nothing.
     */
    public Builder<K, V> onEvent(Consumer<String> listener) {
      onEvent = requireNonNull(listener);
      return this;
    }

    /**
     * Called on the leader with the time from the proposal of an entry until it was committed and
     * applied here, in nanoseconds. Must not block. Default: nothing.
     */
    public Builder<K, V> onCommit(LongConsumer nanos) {
      onCommit = requireNonNull(nanos);
      return this;
    }

    /** The time of day, and a time that only goes on. */
    Builder<K, V> time(InstantSource timeOfDay, LongSupplier nanos) {
      clock = timeOfDay;
      nanoTime = nanos;
      return this;
    }

    private RaftSettings settings() {
      return new RaftSettings(
          entriesUnderWay,
          changesPerEntry,
          bytesPerEntry,
          maximumChangeBytes,
          mapEntries,
          waitingChanges,
          waitingBytes,
          recentChanges,
          recentBytes,
          snapshotChanges,
          snapshotBytes,
          snapshotTime,
          requestIds,
          requestTime,
          onFailure,
          onEvent,
          onCommit,
          clock,
          nanoTime);
    }

    /** Returns the log. It holds no resources until a map is opened on it. */
    public RaftLog<K, V> build() {
      return new RaftLog<>(this, new WorkerThreads());
    }
  }
}
