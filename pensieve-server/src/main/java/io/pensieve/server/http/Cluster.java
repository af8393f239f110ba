package io.pensieve.server.http;

import java.net.URI;
import java.util.List;
import java.util.OptionalLong;

/** What the routes need to know of the other nodes. Called from I/O threads, so it never blocks. */
public interface Cluster {

  /** The id of this node. */
  long nodeId();

  /** A node with this id has sent a heartbeat; it need not be a known one. */
  void onHeartbeat(long nodeId);

  /** The other nodes, as this one sees them now. */
  List<Peer> peers();

  /**
   * One other node.
   *
   * @param url where it listens
   * @param id its id, if it has told it
   * @param state {@code alive}, {@code suspect} or {@code dead}
   * @param phi how strongly it is suspected; may be infinite
   * @param lastHeardMillis how many milliseconds ago it was last heard, if ever
   * @param sinceMillis how many milliseconds ago it entered its state
   */
  record Peer(
      URI url,
      OptionalLong id,
      String state,
      double phi,
      OptionalLong lastHeardMillis,
      long sinceMillis) {}

  /** A node that has no others. */
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
