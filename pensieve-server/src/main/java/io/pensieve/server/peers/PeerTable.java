package io.pensieve.server.peers;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/**
 * All peers and their states. Has no clock and no thread: callers pass the time, in nanoseconds
 * since the monitoring began. Any thread may report signals; {@link #check} is for one thread.
 */
final class PeerTable {
  private final long ownId;
  private final List<Peer> peers;
  private PauseAdjustedTime time = PauseAdjustedTime.first();
  private volatile List<PeerView> view;

  PeerTable(long ownId, List<URI> urls) {
    this.ownId = ownId;
    this.peers = urls.stream().map(Peer::new).toList();
    this.view = viewOfPeers();
  }

  List<Peer> peers() {
    return peers;
  }

  /** A heartbeat with this id came in. */
  void onHeartbeat(long nodeId, long atNanos) {
    List<Peer> named = peers.stream().filter(peer -> peer.hasId(nodeId)).toList();
    // If two peers have that id, the heartbeat could keep the wrong one alive. Their responses tell
    // them apart.
    if (nodeId != ownId && named.size() == 1) {
      named.get(0).onHeartbeat(atNanos);
    }
  }

  /** Processes the signals, decides all states, and returns the events to report. */
  List<PeerEvent> check(long nowNanos) {
    time = time.next(nowNanos);
    List<PeerEvent> events = new ArrayList<>();
    for (Peer peer : peers) {
      peer.drainSignals(time);
      // After a pause, responses may still be unread in the sockets, so decide nothing yet.
      if (!time.overslept()) {
        peer.evaluate(time).ifPresent(events::add);
      }
      peer.pollUnresponsive().ifPresent(events::add);
    }
    view = viewOfPeers();
    return events;
  }

  /** Returns the peers as of the last check. Any thread may call this. */
  List<PeerView> view() {
    return view;
  }

  private List<PeerView> viewOfPeers() {
    return peers.stream().map(peer -> peer.view(time)).toList();
  }
}
