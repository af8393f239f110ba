package io.pensieve.server.http;

import io.pensieve.server.http.replication.NodeCard;
import io.pensieve.server.http.replication.PastRequest;
import io.pensieve.server.http.replication.Replication;
import io.pensieve.server.http.replication.ReplicationState;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** A cluster as a test says that it is. */
final class FakeReplication implements Replication {
  volatile boolean leading;
  volatile boolean readable = true;
  volatile Optional<URI> leaderUrl = Optional.empty();
  volatile Optional<Duration> staleness = Optional.of(Duration.ofMillis(120));
  volatile CompletableFuture<Void> barrier = CompletableFuture.completedFuture(null);
  volatile CompletableFuture<Void> administration = CompletableFuture.completedFuture(null);
  volatile Optional<String> waitsFor = Optional.empty();
  volatile Optional<Duration> snapshotAge = Optional.of(Duration.ofSeconds(60));
  volatile Optional<PastRequest> past = Optional.empty();
  final Set<String> requests = ConcurrentHashMap.newKeySet();
  final AtomicInteger barriers = new AtomicInteger();
  final List<String> administered = Collections.synchronizedList(new ArrayList<>());

  @Override
  public boolean isLeading() {
    return leading;
  }

  @Override
  public boolean isReadable() {
    return readable;
  }

  @Override
  public Optional<URI> leaderUrl() {
    return leaderUrl;
  }

  @Override
  public CompletableFuture<Void> readBarrier() {
    barriers.incrementAndGet();
    return barrier;
  }

  @Override
  public Forces forces() {
    return new Forces(7, Duration.ofMillis(2), Duration.ofMillis(9));
  }

  @Override
  public Optional<Duration> staleness() {
    return staleness;
  }

  @Override
  public <T> Optional<T> executeOnce(String requestId, Supplier<T> write) {
    return requests.add(requestId) ? Optional.of(write.get()) : Optional.empty();
  }

  @Override
  public Optional<PastRequest> pastRequest(String requestId) {
    return past;
  }

  @Override
  public CompletableFuture<Void> whenDurable(long version) {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public NodeCard card() {
    UUID incarnation = new UUID(1, 2);
    return new NodeCard(
        "2",
        incarnation,
        URI.create("http://b:1"),
        "b",
        2,
        Optional.empty(),
        Map.of("2", incarnation),
        Set.of(),
        1_000,
        1 << 20);
  }

  @Override
  public ReplicationState state() {
    return new ReplicationState(
        "2",
        leading ? "leader" : "follower",
        waitsFor,
        7,
        Optional.of("1"),
        4711,
        4710,
        List.of(
            new ReplicationState.Member("1", URI.create("http://a:1"), 0, 3),
            new ReplicationState.Member("2", URI.create("http://b:1"), -1, -1)),
        5,
        1234,
        3,
        snapshotAge,
        99);
  }

  @Override
  public CompletableFuture<Void> transferLeadership(Optional<String> memberId) {
    administered.add("transfer " + memberId.orElse("-"));
    return administration;
  }

  @Override
  public CompletableFuture<Void> addMember(URI url) {
    administered.add("add " + url);
    return administration;
  }

  @Override
  public CompletableFuture<Void> removeMember(String memberId) {
    administered.add("remove " + memberId);
    return administration;
  }

  @Override
  public CompletableFuture<Void> replaceMember(String memberId, URI url) {
    administered.add("replace " + memberId + " " + url);
    return administration;
  }
}
