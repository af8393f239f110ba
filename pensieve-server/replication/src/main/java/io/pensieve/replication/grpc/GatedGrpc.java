package io.pensieve.replication.grpc;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcFactory;
import org.apache.ratis.grpc.server.GrpcServices;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.rpc.RpcFactory;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.thirdparty.com.google.protobuf.Message;
import org.jspecify.annotations.Nullable;

/**
 * Ratis' gRPC, with a {@link SnapshotGate} between it and the server. Ratis creates it by its name.
 */
public final class GatedGrpc implements RpcType {
  private static final long PATIENCE_MILLIS = 10_000;
  private static final String FAILED = "pensieve.failed";
  private static final String RECEIVED = "pensieve.received";

  /**
   * Has the member answer no call any more once it has failed. It may stay for some seconds. On a
   * full disk the next vote would cost its folder: Ratis (3.3.0) writes the term to a new file, and
   * puts that in place of the old one also if it remained empty.
   */
  public static void silenceIf(BooleanSupplier hasFailed, Parameters parameters) {
    parameters.put(FAILED, hasFailed, BooleanSupplier.class);
  }

  /** Forces the part of a snapshot that has been received. */
  public interface Force {
    void run() throws IOException;
  }

  /**
   * Has each part of a snapshot forced before it is acknowledged. Else the last one would have to
   * wait for the disk to take all of it, and the leader would give up and begin anew.
   */
  public static void forceEachPart(Force force, Parameters parameters) {
    parameters.put(RECEIVED, force, Force.class);
  }

  @Override
  public String name() {
    return GatedGrpc.class.getName();
  }

  @Override
  public RpcFactory newFactory(Parameters parameters) {
    return new Factory(parameters);
  }

  private static final class Factory extends GrpcFactory {
    private final BooleanSupplier hasFailed;
    private final Force force;

    Factory(Parameters parameters) {
      super(parameters);
      hasFailed = parameters.getNonNull(FAILED, BooleanSupplier.class);
      force = parameters.getNonNull(RECEIVED, Force.class);
    }

    @Override
    public GrpcServices newRaftServerRpc(RaftServer server) {
      SnapshotGate gate = new SnapshotGate(PATIENCE_MILLIS);
      return super.newRaftServerRpc(gated(server, gate, hasFailed, force));
    }
  }

  /** Returns a server whose appends and installations go through the gate. */
  static RaftServer gated(
      RaftServer server, SnapshotGate gate, BooleanSupplier hasFailed, Force force) {
    return (RaftServer)
        Proxy.newProxyInstance(
            RaftServer.class.getClassLoader(),
            new Class<?>[] {RaftServer.class},
            (proxy, method, arguments) -> {
              boolean isOfPeer =
                  arguments != null && arguments.length == 1 && arguments[0] instanceof Message;
              if (isOfPeer && hasFailed.getAsBoolean()) {
                throw new IOException("this member has failed");
              } else if (method.getName().equals("installSnapshot")) {
                return gate.install(
                    () -> {
                      Object reply = call(server, method, arguments);
                      force.run();
                      return reply;
                    });
              } else if (isOfPeer && hasEntries(arguments[0])) {
                return gate.append(() -> (CompletableFuture<?>) call(server, method, arguments));
              }
              return call(server, method, arguments);
            });
  }

  // A heartbeat has none. It does not wait: a follower that gets none for long elects another
  // leader.
  private static boolean hasEntries(Object request) {
    return request instanceof AppendEntriesRequestProto append && append.getEntriesCount() > 0;
  }

  private static Object call(RaftServer server, Method method, Object @Nullable [] arguments)
      throws IOException {
    try {
      return method.invoke(server, arguments);
    } catch (InvocationTargetException failed) {
      return rethrow(failed.getCause());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object rethrow(@Nullable Throwable cause) throws IOException {
    if (cause instanceof IOException failed) {
      throw failed;
    } else if (cause instanceof RuntimeException failed) {
      throw failed;
    } else if (cause instanceof Error failed) {
      throw failed;
    }
    throw new IllegalStateException(cause);
  }
}
