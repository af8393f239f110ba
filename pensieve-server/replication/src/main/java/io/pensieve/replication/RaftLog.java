package io.pensieve.replication;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.ReplicatedLog;
import io.pensieve.log.StandbyMap;
import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.Member;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * A log that lives on several machines. The member that leads executes all writes, and replicates
 * the changes they make. A change is acknowledged when a majority of the members has forced it to
 * disk and it was applied here.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class RaftLog<K, V> implements ReplicatedLog<K, V> {

  private RaftLog(Builder<K, V> settings) {}

  /**
   * Returns a builder of a log on this engine. The log starts the engine when a map is opened on
   * it, and closes it.
   */
  public static <K, V> Builder<K, V> on(Consensus consensus, Codec<K> keys, Codec<V> values) {
    return new Builder<>(consensus, keys, values);
  }

  /** The settings of a log. Each setter checks its argument at once. Not thread-safe. */
  public static final class Builder<K, V> {
    private final Consensus consensus;
    private final Codec<K> keys;
    private final Codec<V> values;

    private Builder(Consensus consensus, Codec<K> keys, Codec<V> values) {
      this.consensus = consensus;
      this.keys = keys;
      this.values = values;
    }

    /** How many entries are on their way to the members at a time. Default 4. */
    public Builder<K, V> entriesUnderWay(int entries) {
      return this;
    }

    /** How many changes an entry takes at most, if they are not one batch. Default 256. */
    public Builder<K, V> changesPerEntry(int changes) {
      return this;
    }

    /**
     * The maximum size of a change, and of all changes of a batch, in bytes. A larger one is
     * refused with an {@link IllegalArgumentException}. Default 17 MiB.
     */
    public Builder<K, V> maximumChangeBytes(int bytes) {
      return this;
    }

    /**
     * How many changes may wait to be acknowledged, and how many bytes. Beyond that, puts are
     * refused with {@link io.pensieve.log.LogException.Overloaded}. Default 65,536 and 64 MiB.
     */
    public Builder<K, V> maximumWaiting(int changes, long bytes) {
      return this;
    }

    /** How many recent changes are kept for streams, and how many bytes. Default 65,536, 64 MiB. */
    public Builder<K, V> recentChanges(int changes, long bytes) {
      return this;
    }

    /**
     * When the log saves a snapshot: after so many changes, or bytes, or after this time if
     * anything was changed. Default 1,000,000 changes, 256 MiB, 1 hour.
     */
    public Builder<K, V> snapshotEvery(long changes, long bytes, Duration time) {
      return this;
    }

    /** How many ids of requests the log remembers, and for how long. Default 65,536, 10 minutes. */
    public Builder<K, V> requestIds(int number, Duration time) {
      return this;
    }

    /** Called once if this member cannot go on: the process should end. Default: nothing. */
    public Builder<K, V> onFailure(Consumer<Throwable> listener) {
      return this;
    }

    /**
     * Called with each event that an operator wants to know, in one line: leads, follows, a
     * snapshot was saved, and so on. Must not block. Default: nothing.
     */
    public Builder<K, V> onEvent(Consumer<String> listener) {
      return this;
    }

    /**
     * Called with the time that a commit took, in nanoseconds. Must not block. Default: nothing.
     */
    public Builder<K, V> onCommit(LongConsumer nanos) {
      return this;
    }

    /** Returns the log. It holds no resources until a map is opened on it. */
    public RaftLog<K, V> build() {
      return new RaftLog<>(this);
    }
  }

  /** The state of this log. */
  public RaftStatus status() {
    throw new UnsupportedOperationException();
  }

  /** Whether writes are executed on this node, because it leads. */
  public boolean isLeading() {
    throw new UnsupportedOperationException();
  }

  /** Whether the map is consistent. If not, it was loaded from a snapshot and still catches up. */
  public boolean isReadable() {
    throw new UnsupportedOperationException();
  }

  /**
   * Completes when the map shows everything that was acknowledged anywhere before this call: reads
   * after it are linearizable. On any node. All calls that wait share one round trip. Fails with a
   * {@link io.pensieve.log.LogException} if no leader answers. Dependent actions may block.
   */
  public CompletableFuture<Void> readBarrier() {
    throw new UnsupportedOperationException();
  }

  /**
   * How old the map may be at most: how long ago this node last knew that it showed everything that
   * was acknowledged anywhere. Empty if it never knew.
   */
  public Optional<Duration> staleness() {
    throw new UnsupportedOperationException();
  }

  /**
   * Hands the leadership over.
   *
   * @param to the member's id; empty for the one that is most up to date
   * @return fails if this node does not lead, or if nobody takes over in time
   */
  public CompletableFuture<Void> transferLeadership(Optional<String> to, Duration patience) {
    throw new UnsupportedOperationException();
  }

  /** Adds a member, whose process waits to be added. Fails if this node does not lead. */
  public CompletableFuture<Void> addMember(Member member) {
    throw new UnsupportedOperationException();
  }

  /** Removes a member. Fails if this node does not lead, or if there is no such member. */
  public CompletableFuture<Void> removeMember(String id) {
    throw new UnsupportedOperationException();
  }

  /** Removes a member and adds another one in its place, in one step. */
  public CompletableFuture<Void> replaceMember(String id, Member member) {
    throw new UnsupportedOperationException();
  }

  /**
   * Runs an update as the request with this id, unless that request is known. The log remembers
   * with the changes of the update's first write that this request made them, on all members.
   *
   * @param requestId at most 256 characters
   * @param update calls one method of the map that writes, in this thread
   * @return what the update returns; empty if the request is known: see {@link #outcome}
   * @throws io.pensieve.log.LogException.Overloaded if another thread is executing this request
   */
  public <T> Optional<T> execute(String requestId, Supplier<T> update) {
    throw new UnsupportedOperationException();
  }

  /**
   * What the request with this id has changed. Empty if it is not known: it was not executed, or
   * changed nothing, or is forgotten. Call it after a {@link #readBarrier} on a follower.
   */
  public Optional<RequestOutcome<V>> outcome(String requestId) {
    throw new UnsupportedOperationException();
  }

  @Override
  public RecoveryReport replay(ReplayHandler<K, V> handler) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void follow(StandbyMap<K, V> map) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long append(Change<K, V> change) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean isVoid(long sequence) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long durableSequence() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void awaitDurable(long sequence) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> whenDurable(long sequence) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
