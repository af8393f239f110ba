package io.pensieve.replication.grpc;

import java.util.EnumSet;
import org.apache.ratis.grpc.server.GrpcServices;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;

/**
 * Lets only peers speak at the Raft port. Ratis serves clients and administrators there, too: they
 * could write past the leader's map, or remove the group with its folder.
 */
public final class PeersOnly implements GrpcServices.Customizer, ServerInterceptor {
  private static final String SERVICE = "ratis.grpc.RaftServerProtocolService";

  private final ReadIndexAnswers readIndexes;

  /** Creates one that answers questions for the read index by this. */
  public PeersOnly(ReadIndexAnswers readIndexes) {
    this.readIndexes = readIndexes;
  }

  @Override
  public NettyServerBuilder customize(
      NettyServerBuilder builder, EnumSet<GrpcServices.Type> types) {
    builder.intercept(readIndexes).intercept(this); // the last one comes first
    return builder;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String service = call.getMethodDescriptor().getServiceName();
    if (!SERVICE.equals(service)) {
      call.close(Status.PERMISSION_DENIED.withDescription("for peers only"), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    return next.startCall(call, headers);
  }
}
