package io.pensieve.server.http;

import java.net.URI;
import java.util.List;
import java.util.OptionalLong;

/** What the routes know about the other nodes. I/O threads call it, so it never blocks. */
public interface Cluster {

  /** Returns the id of this node. */
  long nodeId();

  /** Reports a heartbeat from a node with this id, which may be unknown. */
  void onHeartbeat(long nodeId);

  /** Returns the other nodes, as this node sees them now. */
  List<Peer> peers();

  /**
   * One other node.
   *
   * @param url the node's URL
   * @param id the node's id, once known
   * @param state {@code alive}, {@code suspect} or {@code dead}
   * @param phi how strongly it is suspected; may be infinite
   * @param lastHeardMillis how many milliseconds ago it was last heard from, if ever
   * @param sinceMillis how many milliseconds ago it entered its state
   */
  record Peer(
      URI url,
      OptionalLong id,
      String state,
      double phi,
      OptionalLong lastHeardMillis,
      long sinceMillis) {}

  /** Returns a cluster without other nodes. */
  static Cluster alone(long nodeId) {
    return new Cluster() {
      @Override
      public long nodeId() {
        return nodeId;
      }

      @Override
      public void onHeartbeat(long stranger) {}

      @Override
      public List<Peer> peers() {
        return List.of();
      }
    };
  }
}
