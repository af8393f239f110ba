package io.pensieve.server;

import io.pensieve.server.http.Cluster;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.peers.PeerEvent;
import io.pensieve.server.peers.PeerState;
import io.pensieve.server.peers.PeerStateChange;
import io.pensieve.server.peers.PeerTrust;
import io.pensieve.server.peers.PeerUnresponsive;
import io.pensieve.server.peers.PeerView;
import io.pensieve.server.peers.Peers;
import io.pensieve.server.process.FlapDetector;
import java.io.PrintStream;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** Shows the watched peers to the routes, and prints their state changes. */
final class ClusterMonitor implements Cluster, AutoCloseable {
  private final long nodeId;
  private final Peers peers;
  private final PrintStream err;
  private final FlapDetector flapping;

  /**
   * Starts to watch.
   *
   * @param secret returns the token that heartbeats carry, if there is one
   * @param trust decides which TLS server is a peer
   * @param err receives one line per change of a peer's state, and per reason why heartbeats have
   *     no response; a flapping peer raises an alarm instead of printing its changes
   * @throws StartupException if the peers cannot be watched
   */
  ClusterMonitor(
      long nodeId,
      List<URI> urls,
      Supplier<Optional<String>> secret,
      PeerTrust trust,
      PrintStream err,
      Alarms alarms) {
    this.nodeId = nodeId;
    this.err = err;
    this.flapping = new FlapDetector(alarms, System::nanoTime);
    try {
      this.peers = Peers.start(nodeId, urls, secret, trust, this::print);
    } catch (IllegalArgumentException notWatchable) {
      throw new StartupException("peers: " + notWatchable.getMessage(), notWatchable);
    }
  }

  private void print(PeerEvent event) {
    if (!(event instanceof PeerStateChange change) || flapping.shouldReport(change)) {
      err.println(line(event));
    }
  }

  /** Ends the alarms of peers that no longer flap. */
  void reportSettled() {
    flapping.reportSettled();
  }

  static String line(PeerEvent event) {
    String id = event.id().isPresent() ? " (node " + event.id().getAsLong() + ")" : "";
    return Instant.now().truncatedTo(ChronoUnit.MILLIS)
        + " peer "
        + event.url()
        + id
        + ": "
        + (event instanceof PeerStateChange change
            ? described(change)
            : described((PeerUnresponsive) event));
  }

  private static String described(PeerUnresponsive peer) {
    return "does not answer: " + peer.reason();
  }

  private static String described(PeerStateChange change) {
    return name(change.from())
        + " -> "
        + name(change.to())
        + silence(change)
        + change.reason().map(reason -> ": " + reason).orElse("");
  }

  private static String silence(PeerStateChange change) {
    if (change.silentMillis().isEmpty()) {
      return ", heard for the first time";
    }
    return (change.to() == PeerState.ALIVE ? ", after silence of " : ", silent for ")
        + change.silentMillis().getAsLong()
        + " ms";
  }

  private static String name(Enum<?> state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public long nodeId() {
    return nodeId;
  }

  @Override
  public void onHeartbeat(long nodeId) {
    peers.onHeartbeat(nodeId);
  }

  @Override
  public List<Peer> peers() {
    return peers.view().stream().map(ClusterMonitor::shown).toList();
  }

  private static Peer shown(PeerView peer) {
    return new Peer(
        peer.url(),
        peer.id(),
        name(peer.state()),
        peer.phi(),
        peer.lastHeardMillis(),
        peer.sinceMillis());
  }

  @Override
  public void close() {
    peers.close();
  }
}
