package io.pensieve.server.http.replication;

import io.undertow.util.HttpString;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * What requests need to know of the cluster that this node belongs to. I/O threads call all
 * methods, so none blocks.
 */
public interface Replication {
  /** The header of a write that is executed once, however often it is sent. */
  HttpString IDEMPOTENCY_KEY = new HttpString("Idempotency-Key");

  /** Returns whether writes are executed on this node. */
  boolean isLeading();

  /** Returns whether this node has a whole state, so that it may be read. */
  boolean isReadable();

  /** Returns the URL of the leader, which may be this node; empty if this node knows none. */
  Optional<URI> leaderUrl();

  /**
   * Completes when this node has applied everything that was committed before this call. Fails if
   * no leader answers in time.
   */
  CompletableFuture<Void> readBarrier();

  /** Returns how far a read without a barrier may be behind; empty if this node does not know. */
  Optional<Duration> staleness();

  /** Returns the state of this node and of the cluster, as this node knows it. */
  ReplicationState state();

  /** Returns how long the disk of this node takes to force the log of its cluster. */
  Forces forces();

  /**
   * Forces of the log.
   *
   * @param count how many there were since the start
   * @param median what half of the last ones took at most
   * @param percentile99 what 99 of 100 of the last ones took at most
   */
  record Forces(long count, Duration median, Duration percentile99) {}

  /**
   * Executes a write, unless the request with this id is known.
   *
   * @param write one call of the map that writes; in this thread
   * @return what it returns; empty if the request is known
   * @throws io.pensieve.log.LogException.Overloaded if the request is being executed
   */
  <T> Optional<T> executeOnce(String requestId, Supplier<T> write);

  /** Returns what the request with this id has changed; empty if it is not known. */
  Optional<PastRequest> pastRequest(String requestId);

  /** Completes when the change of this version is acknowledged. */
  CompletableFuture<Void> whenDurable(long version);

  /** Returns what this node tells its peers of itself. */
  NodeCard card();

  /**
   * Hands the leadership over, to this member or to the most up to date one. Fails if this node
   * does not lead.
   */
  CompletableFuture<Void> transferLeadership(Optional<String> memberId);

  /** Adds the node at this URL to the cluster. Fails if this node does not lead. */
  CompletableFuture<Void> addMember(URI url);

  /** Removes a member from the cluster. Fails if this node does not lead. */
  CompletableFuture<Void> removeMember(String memberId);

  /** Replaces a member by the node at this URL. Fails if this node does not lead. */
  CompletableFuture<Void> replaceMember(String memberId, URI url);
}
