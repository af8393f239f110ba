package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes of a cluster that prove to one another who they are, at both of their ports. */
final class TlsReplicationTest {
  private final Path folder;

  TlsReplicationTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void threeNodesAreOneStoreAndRefuseAStranger() throws Exception {
    Certificates authority = Certificates.authority();
    Certificates another = Certificates.authority();
    Path authorities = Files.write(folder.resolve("authorities.pem"), authority.chainPem());
    HttpClient trusting =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(Certificates.trusting(authority, another))
            .build();
    try (ServersOfCluster cluster =
        new ServersOfCluster(folder, 3)
            .overTls(trusting)
            .with(Setting.PEERS_CA, authorities.toString())) {
      showing(cluster, "good", authority.signed());
      cluster.start(1, 2, 3);
      cluster.awaitReady(1, 2, 3);
      int leader = cluster.leader(1);
      int follower = leader % 3 + 1;
      assertEquals(201, cluster.put(follower, "k", "forwarded over TLS").statusCode());
      for (int id = 1; id <= 3; id++) {
        assertEquals("forwarded over TLS", cluster.get(id, "/v1/kv/k").body());
      }

      cluster.stop(follower);
      showing(cluster, "stranger", another.signed());
      cluster.forgetPrinted();
      cluster.start(follower);
      String refusal =
          "whose certificate is of CN=test: Path does not chain with any of the trust anchors";
      cluster.await("refused as a client", () -> cluster.printed().contains("a peer, " + refusal));
      cluster.await(
          "refused as a server",
          () ->
              cluster
                  .printed()
                  .contains(
                      "the peer at localhost:" + cluster.raftPort(follower) + ", " + refusal));
      assertNotEquals(200, cluster.get(follower, "/readyz").statusCode());
      cluster.putInTheEnd(leader, "k", "without the stranger");

      cluster.stop(follower);
      showing(cluster, "good", authority.signed());
      cluster.with(Setting.CAPACITY, "2000").start(follower);
      cluster.awaitReady(follower);
      assertEquals("without the stranger", cluster.get(follower, "/v1/kv/k").body());
      cluster.await(
          "an alarm, since it would keep more than the others",
          () -> cluster.printed().contains("alarm capacity_differs node " + leader + ": holds"));
    }
  }

  /** Nodes that start from now on show this certificate. */
  private void showing(ServersOfCluster cluster, String name, Certificates shown) throws Exception {
    Path chain = folder.resolve(name + ".pem");
    Path key = folder.resolve(name + "-key.pem");
    shown.write(chain, key);
    cluster.with(Setting.TLS_CERTIFICATE, chain.toString()).with(Setting.TLS_KEY, key.toString());
  }
}
