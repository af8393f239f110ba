package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Monitors the peers of this node: sends heartbeats to them, receives theirs, and decides which
 * peers are alive. Any thread may call any method, and no method waits for a peer.
 *
 * <p>A peer is alive when it responds to heartbeats or sends its own. It is dead when it has done
 * neither for about 1.5 seconds (never more than 2), or not since this node started. Dead peers
 * still receive heartbeats, so that a returning peer is found. A peer that has this node's own id,
 * whether it is this node or a misconfigured one, is monitored like any other and shown with that
 * id.
 */
public final class Peers implements AutoCloseable {
  /** The maximum number of peers. Each one has a thread. */
  public static final int PEERS_MAX = 100;

  private static final long PROBE_NANOS = MILLISECONDS.toNanos(1_000);
  private static final long STOP_MILLIS_MAX = 1_000;
  private static final System.Logger LOG = System.getLogger(Peers.class.getName());

  /*
   * One thread per peer sends heartbeats and waits for the responses. So a peer that hangs, sends
   * byte by byte, or has a slow name lookup delays no other peer. These threads only report signals
   * to the peer table. One more thread checks the table, and makes every decision and every call of
   * onEvent.
   *
   * Dead peers receive fewer heartbeats if their own first heartbeat will show that they are back.
   * Heartbeats cannot identify a peer whose id is not known yet; only a response does.
   */
  private final PeerTable peers;
  private final Consumer<PeerEvent> onEvent;
  private final long startNanos = System.nanoTime();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final List<HeartbeatConnection> connections = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  private Peers(
      long nodeId,
      List<URI> urls,
      Supplier<Optional<String>> secret,
      PeerTrust trust,
      Consumer<PeerEvent> onEvent) {
    this.peers = new PeerTable(nodeId, urls);
    this.onEvent = onEvent;
    threads.add(new Thread(this::check, "pensieve-peers"));
    for (Peer peer : peers.peers()) {
      HeartbeatConnection connection = new HeartbeatConnection(peer.url(), nodeId, secret, trust);
      connections.add(connection);
      String name = "pensieve-heartbeat " + peer.url().getRawAuthority();
      threads.add(new Thread(() -> sendHeartbeats(peer, connection), name));
    }
    threads.forEach(thread -> thread.setDaemon(true));
  }

  /**
   * Starts to send heartbeats, on threads of its own. A peer counts as dead until it is first heard
   * from.
   *
   * @param nodeId the id of this node, which its heartbeats carry
   * @param peers the peers' URLs, {@code http://host:port} or {@code https://host:port}; may be
   *     empty
   * @param secret returns the bearer token of a heartbeat, if any; called for every heartbeat
   * @param trust decides which {@code https} server is a peer; any other never receives the secret,
   *     and does not count as alive
   * @param onEvent receives every change of a peer's state, and reasons why heartbeats have no
   *     response, one at a time; runs on the thread that makes these decisions, so it should return
   *     soon
   * @throws IllegalArgumentException if a peer's URL has another form or is a duplicate, or if
   *     there are more than {@link #PEERS_MAX}
   */
  public static Peers start(
      long nodeId,
      List<URI> peers,
      Supplier<Optional<String>> secret,
      PeerTrust trust,
      Consumer<PeerEvent> onEvent) {
    if (peers.size() > PEERS_MAX) {
      throw new IllegalArgumentException(
          "expected at most " + PEERS_MAX + " peers, found " + peers.size());
    }
    Set<String> authorities = new HashSet<>();
    for (URI url : peers) {
      requirePeer(url);
      if (!authorities.add(url.getRawAuthority())) {
        throw new IllegalArgumentException("peer " + url + " is there twice");
      }
    }
    Peers started = new Peers(nodeId, peers, secret, trust, onEvent);
    started.threads.forEach(Thread::start);
    return started;
  }

  private static void requirePeer(URI url) {
    String path = url.getRawPath();
    boolean bare = path == null || path.isEmpty() || path.equals("/");
    boolean plain =
        url.getRawQuery() == null && url.getRawFragment() == null && url.getRawUserInfo() == null;
    boolean web =
        "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
    if (!web
        || url.getHost() == null
        || url.getPort() == 0
        || url.getPort() > 65_535
        || !bare
        || !plain) {
      throw new IllegalArgumentException(
          "peer " + url + " is not of the form http://host:port or https://host:port");
    }
  }

  /**
   * A peer's heartbeat came in. It counts as a sign of life of the peer with this id. An id is
   * ignored if no peer or more than one has it, or if it is this node's own.
   */
  public void onHeartbeat(long nodeId) {
    peers.onHeartbeat(nodeId, nowNanos());
  }

  /** Returns the peers in the order given at the start, about 50 ms old. */
  public List<PeerView> view() {
    return peers.view();
  }

  /** Stops the heartbeats and all threads. A second call does nothing. */
  @Override
  public void close() {
    stopped.countDown();
    for (HeartbeatConnection connection : connections) {
      try {
        connection.close();
      } catch (IOException lost) {
        LOG.log(System.Logger.Level.DEBUG, "a peer's connection was lost before it was closed");
      }
    }
    try {
      for (Thread thread : threads) {
        if (thread != Thread.currentThread()) {
          // A bounded wait: a name lookup cannot be interrupted, and its thread ends after it.
          thread.join(STOP_MILLIS_MAX);
        }
      }
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
  }

  private void check() {
    while (!isStoppedWithin(PauseAdjustedTime.CHECK_NANOS)) {
      peers.check(nowNanos()).forEach(this::deliver);
    }
  }

  private void deliver(PeerEvent event) {
    try {
      onEvent.accept(event);
    } catch (RuntimeException thrownByListener) {
      LOG.log(System.Logger.Level.ERROR, "not told of " + event, thrownByListener);
    }
  }

  private void sendHeartbeats(Peer peer, HeartbeatConnection connection) {
    for (long dueNanos = nowNanos(); !isStoppedWithin(dueNanos - nowNanos()); ) {
      dueNanos = nowNanos();
      try {
        OptionalLong nodeId = connection.sendHeartbeat();
        peer.onResponse(nodeId, nowNanos());
        dueNanos += PhiAccrualDetector.BEAT_NANOS;
      } catch (IOException silent) {
        peer.onNoResponse(HeartbeatFailure.reason(silent));
        dueNanos += peer.announcesItself() ? PROBE_NANOS : PhiAccrualDetector.BEAT_NANOS;
      }
    }
  }

  private boolean isStoppedWithin(long nanos) {
    try {
      return stopped.await(nanos, NANOSECONDS);
    } catch (InterruptedException alsoStops) {
      return true;
    }
  }

  private long nowNanos() {
    return System.nanoTime() - startNanos;
  }
}
