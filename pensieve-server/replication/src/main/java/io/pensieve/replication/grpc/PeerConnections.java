package io.pensieve.replication.grpc;

import java.io.Closeable;
import java.io.IOException;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  // Ratis has no method that forgets one. If a later version has other names here, no member
  // starts.
  private static final Field CONNECTIONS;
  private static final Method PEER;
  private static final Method DETACH;

  static {
    try {
      CONNECTIONS = opened(PeerProxyMap.class.getDeclaredField("peers"));
      Class<?> connection = Class.forName(PeerProxyMap.class.getName() + "$PeerAndProxy");
      PEER = opened(connection.getDeclaredMethod("getPeer"));
      DETACH = opened(connection.getDeclaredMethod("setNullProxyAndClose"));
    } catch (ReflectiveOperationException otherVersion) {
      throw new ExceptionInInitializerError(otherVersion);
    }
  }

  private PeerConnections() {}

  private static <T extends AccessibleObject> T opened(T inside) {
    inside.setAccessible(true);
    return inside;
  }

  /** Forgets the connections to nodes that are not among these, or not at this address. */
  public static void keepOnly(RaftServer server, Collection<RaftPeer> members) {
    Map<RaftPeerId, String> addresses =
        members.stream().collect(Collectors.toMap(RaftPeer::getId, RaftPeer::getAddress));
    PeerProxyMap<?> connections =
        ((RaftServerRpcWithProxy<?, ?>) server.getServerRpc()).getProxies();
    try {
      Map<?, ?> byId = (Map<?, ?>) CONNECTIONS.get(connections);
      for (Object connection : List.copyOf(byId.values())) {
        RaftPeer peer = (RaftPeer) PEER.invoke(connection);
        if (!peer.getAddress().equals(addresses.get(peer.getId()))) {
          byId.remove(peer.getId());
          closeSoon((Optional<?>) DETACH.invoke(connection));
        }
      }
    } catch (ReflectiveOperationException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  // Closing waits for calls under way, for seconds. The thread that applies entries must not.
  private static void closeSoon(Optional<?> detached) {
    detached.ifPresent(
        connection ->
            new Thread(() -> close((Closeable) connection), "pensieve-raft-peer").start());
  }

  private static void close(Closeable connection) {
    try {
      connection.close();
    } catch (IOException gone) {
      // Nobody uses it any more.
    }
  }
}
