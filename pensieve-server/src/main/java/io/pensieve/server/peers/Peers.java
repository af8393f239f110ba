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
 * The nodes that this one watches: beats each of them, listens for their beats, and says who is
 * alive. All methods may be called from any thread and none of them waits for a peer.
 *
 * <p>A peer is alive when it answers beats or sends its own, and dead when it has done neither for
 * about 1.5 seconds (never more than 2), or not since this node started. The dead go on being
 * beaten, so that a peer that is back is found again. A peer that has this node's own id, be it
 * this node itself or another by mistake, is watched like any other and shown with that id.
 */
public final class Peers implements AutoCloseable {
  /** How many peers a node can watch. Each has a thread. */
  public static final int PEERS_MAX = 100;

  private static final long PROBE_NANOS = MILLISECONDS.toNanos(1_000);
  private static final long STOP_MILLIS_MAX = 1_000;
  private static final System.Logger LOG = System.getLogger(Peers.class.getName());

  /*
   * One thread a peer sends beats and waits for the answers: a peer that hangs, drips or has a name
   * that takes seconds to look up delays nobody else's. They only drop what they hear into the
   * roster; one more thread checks it, so every decision and every onEvent is on that one.
   *
   * The dead are beaten less often if their own first beat will tell that they are back. A peer
   * whose id is not known yet cannot be told by its beats, and only an answer finds it.
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
   * Starts to beat peers, on threads of its own. Until one is heard from it counts as dead.
   *
   * @param nodeId the id of this node, which its beats carry
   * @param peers where they are reached, {@code http://host:port} or {@code https://host:port};
   *     none is fine
   * @param secret what each beat shows as its bearer token, if anything; asked for every beat
   * @param trust who is believed to be an {@code https} peer; another is not shown the secret, and
   *     does not count as alive
   * @param onEvent told of every change of a peer's state, and of reasons why beats have no answer,
   *     one after another, on a thread that does nothing else but decide them, so it should return
   *     soon
   * @throws IllegalArgumentException if a peer's URL is not of that form or is there twice, or if
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
   * A beat of a peer came in. Counts as a sign of life of the peer with this id; an id that no peer
   * or more than one has, or that is this node's own, is ignored.
   */
  public void onHeartbeat(long nodeId) {
    peers.onHeartbeat(nodeId, nowNanos());
  }

  /** What this node knows of its peers, in the order given at the start, about 50 ms old. */
  public List<PeerView> view() {
    return peers.view();
  }

  /** Stops beating, and all threads. A second call does nothing. */
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
          // Bounded, since looking up a name cannot be interrupted; that thread ends after it.
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
