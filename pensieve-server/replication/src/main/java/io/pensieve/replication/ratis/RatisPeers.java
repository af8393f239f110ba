package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.Member;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import org.apache.ratis.protocol.RaftPeer;

/**
 * Members as Ratis knows them: its address for clients, of whom it has none, is the member's URL.
 */
final class RatisPeers {
  private RatisPeers() {}

  static RaftPeer of(Member member) {
    return RaftPeer.newBuilder()
        .setId(member.id())
        .setAddress(address(member))
        .setClientAddress(member.url().toString())
        .build();
  }

  static List<RaftPeer> of(Collection<Member> members) {
    return members.stream().map(RatisPeers::of).toList();
  }

  private static String address(Member member) {
    boolean isBareIpv6 = member.host().indexOf(':') >= 0 && !member.host().startsWith("[");
    String host = isBareIpv6 ? "[" + member.host() + "]" : member.host();
    return host + ":" + member.port();
  }

  static Member toMember(RaftPeer peer) {
    String address = peer.getAddress();
    int colon = address.lastIndexOf(':');
    String host = address.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    int port = Integer.parseInt(address.substring(colon + 1));
    return new Member(peer.getId().toString(), host, port, URI.create(peer.getClientAddress()));
  }
}
