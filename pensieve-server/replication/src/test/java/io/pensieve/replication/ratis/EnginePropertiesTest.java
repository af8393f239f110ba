package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.pensieve.replication.grpc.GatedGrpc;
import java.nio.file.Path;
import java.util.UUID;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EnginePropertiesTest {
  @Test
  void callsOfPeersGoThroughTheGate(@TempDir Path folder) {
    EngineSettings settings = new EngineSettings(folder, UUID.randomUUID(), "1");
    RaftProperties properties = EngineProperties.of(settings, folder, true);
    assertInstanceOf(GatedGrpc.class, RaftConfigKeys.Rpc.type(properties, line -> {}));
  }
}
