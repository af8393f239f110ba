package io.pensieve.server.peers;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/**
 * All peers, and what is thought of them. Has no clock and no thread: it is told the time, in
 * nanoseconds since the watch began. Signs of life come from any thread; {@link #check} is for one.
 */
final class Roster {
  private final long ownId;
  private final List<Peer> peers;
  private Waking waking = Waking.first();
  private volatile List<PeerView> view;

  Roster(long ownId, List<URI> urls) {
    this.ownId = ownId;
    this.peers = urls.stream().map(Peer::new).toList();
    this.view = look();
  }

  List<Peer> peers() {
    return peers;
  }

  /** A beat with this id came in. */
  void heard(long nodeId, long atNanos) {
    List<Peer> named = peers.stream().filter(peer -> peer.hasId(nodeId)).toList();
    // With two of that id it would keep the wrong one alive; the answers tell them apart.
    if (nodeId != ownId && named.size() == 1) {
      named.get(0).heard(atNanos);
    }
  }

  /** Takes in what was heard, decides who is alive, and says what is to be told of it. */
  List<PeerEvent> check(long nowNanos) {
    waking = waking.next(nowNanos);
    List<PeerEvent> events = new ArrayList<>();
    for (Peer peer : peers) {
      peer.takeIn(waking);
      // Answers may still lie unread in the sockets when this process was asleep until just now.
      if (!waking.overslept()) {
        peer.judge(waking).ifPresent(events::add);
      }
      peer.complain().ifPresent(events::add);
    }
    view = look();
    return events;
  }

  /** What was thought of every peer at the last check, from any thread. */
  List<PeerView> view() {
    return view;
  }

  private List<PeerView> look() {
    return peers.stream().map(peer -> peer.view(waking)).toList();
  }
}
