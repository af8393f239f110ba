package io.pensieve.replication.grpc;

import java.lang.reflect.Field;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerRpcWithProxy;
import org.apache.ratis.util.PeerProxyMap;

/**
 * The connections of a member to others. Ratis (3.3.0) keeps each of them under the other's id,
 * also when that is a member no more. So a node that gets its id later would be called at the
 * address of the one before; and at the same address not before the backoff of the dead connection
 * is over.
 */
public final class PeerConnections {
  // Ratis has no method that forgets one; a test fails if a later version has another field.
  private static final Field CONNECTIONS = field();

  private PeerConnections() {}

  private static Field field() {
    try {
      Field field = PeerProxyMap.class.getDeclaredField("peers");
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException otherVersion) {
      throw new IllegalStateException(otherVersion);
    }
  }

  /** Closes and forgets the connections to all but these. Those that are kept stay as they are. */
  public static void keepOnly(RaftServer server, Collection<RaftPeer> kept) {
    Set<RaftPeerId> ids = kept.stream().map(RaftPeer::getId).collect(Collectors.toSet());
    PeerProxyMap<?> connections =
        ((RaftServerRpcWithProxy<?, ?>) server.getServerRpc()).getProxies();
    Map<?, ?> byId = byId(connections);
    for (Object id : List.copyOf(byId.keySet())) {
      if (!ids.contains((RaftPeerId) id)) {
        connections.resetProxy((RaftPeerId) id); // closes it
        byId.remove(id);
      }
    }
  }

  /** Forgets all connections, and knows these members by their addresses from now on. */
  public static void beginAnew(RaftServer server, Collection<RaftPeer> members) {
    keepOnly(server, List.of());
    server.getServerRpc().addRaftPeers(members);
  }

  private static Map<?, ?> byId(PeerProxyMap<?> connections) {
    try {
      return (Map<?, ?>) CONNECTIONS.get(connections);
    } catch (IllegalAccessException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
