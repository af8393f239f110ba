package io.pensieve.replication.ratis;

import io.pensieve.replication.grpc.GatedGrpc;
import io.pensieve.replication.grpc.PeersOnly;
import io.pensieve.replication.grpc.ReadIndexAnswers;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachine;

/** Puts a server of Ratis together. */
final class ServerAssembly {
  private ServerAssembly() {}

  static RaftServer build(
      EngineSettings settings,
      Path folder,
      AppliedLog log,
      ReadIndexAnswers readIndexes,
      EngineEvents events,
      EngineThreads threads,
      boolean isNew)
      throws IOException {
    Parameters parameters = new Parameters();
    GrpcConfigKeys.Server.setServicesCustomizer(parameters, new PeersOnly(readIndexes));
    GatedGrpc.silenceIf(events::hasFailed, parameters);
    GatedGrpc.forceEachPart(log::forceIncoming, parameters);
    if (settings.tls != null) {
      GrpcConfigKeys.TLS.setConf(parameters, settings.tls.config(events));
    }
    RaftGroupId group = RaftGroupId.valueOf(settings.cluster);
    return RaftServer.newBuilder()
        .setServerId(RaftPeerId.valueOf(settings.self))
        .setGroup(RaftGroup.valueOf(group, RatisPeers.of(settings.members)))
        // FORMAT, the default, would empty the folder.
        .setOption(RaftStorage.StartupOption.RECOVER)
        .setProperties(EngineProperties.of(settings, folder, isNew))
        .setParameters(parameters)
        .setThreadGroup(threads)
        .setStateMachineRegistry(found -> only(group, found, log))
        .build();
  }

  /** Ratis starts whatever it finds in the folder. */
  private static StateMachine only(RaftGroupId own, RaftGroupId found, StateMachine log) {
    if (!found.equals(own)) {
      throw new IllegalStateException("there is the data of another cluster, " + found.getUuid());
    }
    return log;
  }
}
