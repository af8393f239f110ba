package io.pensieve.replication.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.Closeable;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotReplyProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteReplyProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionReplyProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerRpcWithProxy;
import org.apache.ratis.util.PeerProxyMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class PeerConnectionsTest {
  private static final RaftPeer HERE = peer("a", "here:1");
  private static final RaftPeer MOVED = peer("b", "before:2");
  private static final RaftPeer GONE = peer("c", "there:3");

  /** A connection whose closing takes until {@link #canEnd}. */
  private static final class Connection implements Closeable {
    final String address;
    final CountDownLatch isClosing = new CountDownLatch(1);
    final CountDownLatch canEnd = new CountDownLatch(1);

    Connection(RaftPeer peer) {
      address = peer.getAddress();
    }

    @Override
    public void close() {
      isClosing.countDown();
      try {
        canEnd.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static RaftPeer peer(String id, String address) {
    return RaftPeer.newBuilder().setId(id).setAddress(address).build();
  }

  @Test
  void onlyConnectionsToMembersAtTheirAddressesAreKept() throws Exception {
    Rpc rpc = new Rpc();
    rpc.addRaftPeers(List.of(HERE, MOVED, GONE));
    Connection here = rpc.to("a");
    Connection before = rpc.to("b");
    Connection gone = rpc.to("c");
    RaftPeer moved = peer("b", "after:2");
    List<RaftPeer> members = List.of(HERE, moved);

    PeerConnections.keepOnly(serverWith(rpc), members); // does not wait for their ends

    rpc.addRaftPeers(members);
    assertSame(here, rpc.to("a"));
    assertNotSame(before, rpc.to("b"));
    assertEquals("after:2", rpc.to("b").address);
    assertThrows(NullPointerException.class, () -> rpc.to("c"));
    before.isClosing.await();
    gone.isClosing.await();
    assertFalse(here.isClosing.getCount() == 0);
    before.canEnd.countDown();
    gone.canEnd.countDown();
  }

  private static RaftServer serverWith(Rpc rpc) {
    return (RaftServer)
        Proxy.newProxyInstance(
            RaftServer.class.getClassLoader(),
            new Class<?>[] {RaftServer.class},
            (proxy, method, arguments) -> rpc);
  }

  private static final class Rpc
      extends RaftServerRpcWithProxy<Connection, PeerProxyMap<Connection>> {
    Rpc() {
      super(
          () -> RaftPeerId.valueOf("self"),
          self -> new PeerProxyMap<>(self.toString(), Connection::new));
    }

    Connection to(String id) throws IOException {
      return getProxies().getProxy(RaftPeerId.valueOf(id));
    }

    @Override
    protected void startImpl() {}

    @Override
    public RpcType getRpcType() {
      throw new UnsupportedOperationException();
    }

    @Override
    public InetSocketAddress getInetSocketAddress() {
      throw new UnsupportedOperationException();
    }

    @Override
    public RequestVoteReplyProto requestVote(RequestVoteRequestProto request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public AppendEntriesReplyProto appendEntries(AppendEntriesRequestProto request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public InstallSnapshotReplyProto installSnapshot(InstallSnapshotRequestProto request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public StartLeaderElectionReplyProto startLeaderElection(
        StartLeaderElectionRequestProto request) {
      throw new UnsupportedOperationException();
    }
  }
}
