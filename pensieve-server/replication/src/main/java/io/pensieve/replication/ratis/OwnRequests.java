package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.Member;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.jspecify.annotations.Nullable;

/** What a member asks of its own server of Ratis. No client of Ratis is in between. */
final class OwnRequests {
  private static final Duration SNAPSHOT_PATIENCE = Duration.ofSeconds(30);

  private final ClientId client = ClientId.randomId();
  private final AtomicLong calls = new AtomicLong();
  private final RaftPeerId self;
  private final RaftGroupId group;

  OwnRequests(RaftPeerId self, RaftGroupId group) {
    this.self = self;
    this.group = group;
  }

  CompletableFuture<Void> submit(RaftServer server, RaftClientRequest.Type type, Message message) {
    RaftClientRequest request =
        RaftClientRequest.newBuilder()
            .setClientId(client)
            .setServerId(self)
            .setGroupId(group)
            .setCallId(calls.incrementAndGet())
            .setType(type)
            .setMessage(message)
            .build();
    return outcome(() -> server.submitClientRequestAsync(request));
  }

  /** Hands the lead over; to nobody in particular if there is no target. */
  CompletableFuture<Void> transferLeadership(
      RaftServer server, @Nullable RaftPeerId target, Duration patience) {
    TransferLeadershipRequest request =
        new TransferLeadershipRequest(
            client, self, group, calls.incrementAndGet(), target, patience.toMillis());
    return outcome(() -> server.transferLeadershipAsync(request));
  }

  CompletableFuture<Void> setMembers(RaftServer server, List<Member> members) {
    SetConfigurationRequest request =
        new SetConfigurationRequest(
            client,
            self,
            group,
            calls.incrementAndGet(),
            SetConfigurationRequest.Arguments.newBuilder()
                .setServersInNewConf(RatisPeers.of(members))
                .build());
    return outcome(() -> server.setConfigurationAsync(request));
  }

  /** Has Ratis look for a new snapshot, and forget the entries before it. */
  CompletableFuture<Void> takeSnapshot(RaftServer server) {
    SnapshotManagementRequest request =
        SnapshotManagementRequest.newCreate(
            client, self, group, calls.incrementAndGet(), SNAPSHOT_PATIENCE.toMillis(), 1);
    return outcome(() -> server.snapshotManagementAsync(request));
  }

  private interface Request {
    CompletableFuture<RaftClientReply> send() throws IOException;
  }

  private static CompletableFuture<Void> outcome(Request request) {
    try {
      return request.send().thenCompose(OwnRequests::toOutcome);
    } catch (IOException | RuntimeException failed) {
      return CompletableFuture.failedFuture(failed);
    }
  }

  private static CompletableFuture<Void> toOutcome(RaftClientReply reply) {
    return reply.isSuccess()
        ? CompletableFuture.completedFuture(null)
        : CompletableFuture.failedFuture(reply.getException());
  }

  /**
   * An entry on its way into the leader's log, with the term in which the caller believes to lead.
   * The term stays in this process: the fence looks at it just before the entry is appended.
   */
  record ProposedEntry(long term, ByteString content) implements Message {

    static ProposedEntry of(long term, byte[] entry) {
      return new ProposedEntry(term, UnsafeByteOperations.unsafeWrap(entry));
    }

    @Override
    public ByteString getContent() {
      return content;
    }
  }
}
