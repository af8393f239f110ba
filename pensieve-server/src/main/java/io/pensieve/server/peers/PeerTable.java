package io.pensieve.server.peers;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/**
 * All peers, and what is thought of them. Has no clock and no thread: it is told the time, in
 * nanoseconds since the watch began. Signs of life come from any thread; {@link #check} is for one.
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

  /** A beat with this id came in. */
  void onHeartbeat(long nodeId, long atNanos) {
    List<Peer> named = peers.stream().filter(peer -> peer.hasId(nodeId)).toList();
    // With two of that id it would keep the wrong one alive; the answers tell them apart.
    if (nodeId != ownId && named.size() == 1) {
      named.get(0).onHeartbeat(atNanos);
    }
  }

  /** Takes in what was heard, decides who is alive, and says what is to be told of it. */
  List<PeerEvent> check(long nowNanos) {
    time = time.next(nowNanos);
    List<PeerEvent> events = new ArrayList<>();
    for (Peer peer : peers) {
      peer.drainSignals(time);
      // Answers may still lie unread in the sockets when this process was asleep until just now.
      if (!time.overslept()) {
        peer.evaluate(time).ifPresent(events::add);
      }
      peer.pollUnresponsive().ifPresent(events::add);
    }
    view = viewOfPeers();
    return events;
  }

  /** What was thought of every peer at the last check, from any thread. */
  List<PeerView> view() {
    return view;
  }

  private List<PeerView> viewOfPeers() {
    return peers.stream().map(peer -> peer.view(time)).toList();
  }
}
