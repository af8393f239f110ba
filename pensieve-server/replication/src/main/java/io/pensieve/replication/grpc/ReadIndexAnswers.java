package io.pensieve.replication.grpc;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.ratis.proto.RaftProtos.RaftGroupIdProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcReplyProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.ReadIndexReplyProto;
import org.apache.ratis.proto.RaftProtos.ReadIndexRequestProto;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Answers a follower that asks which entry it must have applied before it reads.
 *
 * <p>Ratis (3.3.0) would send heartbeats to all followers for each question, or not ask anybody if
 * nothing was committed since it last did: see the module's ENGINE.md. So we answer in its place.
 */
public final class ReadIndexAnswers implements ServerInterceptor {
  private static final String METHOD = "ratis.grpc.RaftServerProtocolService/readIndex";

  private final RaftGroupId group;
  private final Supplier<CompletableFuture<Long>> index;

  /**
   * Creates one for this group.
   *
   * @param index asks this member; fails if it does not lead
   */
  public ReadIndexAnswers(RaftGroupId group, Supplier<CompletableFuture<Long>> index) {
    this.group = group;
    this.index = index;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (!METHOD.equals(call.getMethodDescriptor().getFullMethodName())) {
      return next.startCall(call, headers);
    }
    call.request(1);
    return new ServerCall.Listener<>() {
      @Override
      public void onMessage(Q message) {
        if (message instanceof ReadIndexRequestProto question) {
          answer(question.getServerRequest(), new Answer<>(call));
        }
      }
    };
  }

  private void answer(RaftRpcRequestProto question, Answer<?> answer) {
    RaftRpcReplyProto.Builder reply =
        RaftRpcReplyProto.newBuilder()
            .setRequestorId(question.getRequestorId())
            .setReplyId(question.getReplyId())
            .setRaftGroupId(RaftGroupIdProto.newBuilder().setId(group.toByteString()))
            .setCallId(question.getCallId());
    if (!group.toByteString().equals(question.getRaftGroupId().getId())) {
      answer.send(reply, null);
      return;
    }
    var unused = index.get().whenComplete((known, failed) -> answer.send(reply, known));
  }

  /** The one answer to a call. */
  private static final class Answer<R> {
    private final ServerCall<?, R> call;

    Answer(ServerCall<?, R> call) {
      this.call = call;
    }

    /** Sends the index, or that there is none. */
    void send(RaftRpcReplyProto.Builder reply, @Nullable Long index) {
      ReadIndexReplyProto message =
          ReadIndexReplyProto.newBuilder()
              .setServerReply(reply.setSuccess(index != null))
              .setReadIndex(index == null ? 0 : index)
              .build();
      @SuppressWarnings("unchecked") // the method has this type of reply
      R sent = (R) message;
      call.sendHeaders(new Metadata());
      call.sendMessage(sent);
      call.close(Status.OK, new Metadata());
    }
  }
}
