package io.pensieve.server.http.replication;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * What requests need to know of the cluster that this node belongs to. I/O threads call all
 * methods, so none blocks.
 */
public interface Replication {

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
