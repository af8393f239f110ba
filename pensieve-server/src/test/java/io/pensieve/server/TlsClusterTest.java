package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Log;
import io.pensieve.server.http.Cluster;
import io.pensieve.server.http.HttpServer;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Tokens;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.transport.ReloadableTls;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.peers.PeerTrust;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that watch one another over TLS, with a certificate that an authority of theirs signed. */
final class TlsClusterTest {
  private static final String TOKENS = "write writer-0123456789\npeer peers-0123456789";

  private static Certificates authority;
  private static Certificates good;

  private final Path folder;
  private final Path chain;
  private final Path key;
  private final Path authorities;
  private final ByteArrayOutputStream told = new ByteArrayOutputStream();
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  TlsClusterTest(@TempDir Path folder) {
    this.folder = folder;
    this.chain = folder.resolve("chain.pem");
    this.key = folder.resolve("key.pem");
    this.authorities = folder.resolve("authorities.pem");
  }

  @BeforeAll
  static void makeCertificates() throws Exception {
    authority = Certificates.authority();
    good = authority.signed();
  }

  @BeforeEach
  void writeCertificates() throws Exception {
    good.write(chain, key);
    Files.write(authorities, authority.chainPem());
  }

  @AfterEach
  void nothingIsLeftRunning() throws Exception {
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
  }

  @Test
  void threeNodesFindOneAnother() throws Exception {
    List<LateCluster> clusters = new ArrayList<>();
    List<URI> urls = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      LateCluster cluster = new LateCluster(i);
      HttpServer server = server(cluster);
      clusters.add(cluster);
      urls.add(URI.create("https://localhost:" + server.address().getPort()));
    }
    PeerTrust trust = new PeerTrust();
    trust.replace(ReloadableTls.certificates(authority.chainPem()));
    for (LateCluster cluster : clusters) {
      List<URI> others = new ArrayList<>(urls);
      others.remove((int) cluster.nodeId());
      cluster.watch(others, trust);
    }
    for (LateCluster cluster : clusters) {
      awaitTrue(() -> cluster.peers().stream().allMatch(peer -> peer.state().equals("alive")));
      awaitTrue(() -> cluster.peers().stream().allMatch(peer -> peer.id().isPresent()));
      awaitTrue(() -> cluster.others() == 2);
    }
  }

  private HttpServer server(Cluster cluster) throws Exception {
    ReloadableTls tls = new ReloadableTls();
    tls.replace(good.chainPem(), good.keyPem());
    Pensieve<String, StoredValue> map =
        Pensieve.<String, StoredValue>builder().maximumEntries(10).log(Log.none()).open();
    opened.push(map);
    HttpServer server =
        HttpServer.start(
            HttpServer.Settings.on(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .authorizer(Authorizer.withTokens(Tokens.parse(TOKENS)))
                .tls(Optional.of(tls))
                .build(),
            map,
            cluster);
    opened.push(server);
    return server;
  }

  /** Watches its peers as soon as these have a port. */
  private final class LateCluster implements Cluster {
    private final long nodeId;
    private final List<Long> heard = new ArrayList<>();
    private volatile Optional<ClusterMonitor> watch = Optional.empty();

    LateCluster(long nodeId) {
      this.nodeId = nodeId;
    }

    void watch(List<URI> urls, PeerTrust trust) {
      Authorizer authorizer = Authorizer.withTokens(Tokens.parse(TOKENS));
      ClusterMonitor begun =
          new ClusterMonitor(
              nodeId,
              urls,
              authorizer::peerToken,
              trust,
              new PrintStream(told, true),
              Alarms.silent());
      opened.push(begun);
      watch = Optional.of(begun);
    }

    @Override
    public long nodeId() {
      return nodeId;
    }

    @Override
    public synchronized void onHeartbeat(long id) {
      if (!heard.contains(id)) {
        heard.add(id);
      }
      watch.ifPresent(begun -> begun.onHeartbeat(id));
    }

    synchronized int others() {
      return heard.size();
    }

    @Override
    public List<Peer> peers() {
      return watch.map(ClusterMonitor::peers).orElse(List.of());
    }
  }

  private interface Condition {
    boolean holds();
  }

  private void awaitTrue(Condition condition) {
    long deadlineNanos = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (!condition.holds()) {
      assertTrue(
          System.nanoTime() < deadlineNanos,
          () -> "waited in vain: " + told.toString(StandardCharsets.UTF_8));
      LockSupport.parkNanos(5_000_000);
    }
  }

  @Test
  void theAuthoritiesAreReadAgainWhenTheirFileChanges() throws Exception {
    Certificates another = Certificates.authority();
    try (ServerProcess first = serve("--node-id", "1");
        ServerProcess second =
            serve("--node-id", "2", "--peers", first.url(), "--peers-ca", authorities.toString())) {
      String peer = "peer " + first.url() + " (node 1): ";
      second.awaitError(peer + "dead -> alive, heard for the first time");
      writeAuthorities("nothing of use".getBytes(StandardCharsets.US_ASCII));
      second.awaitError("expected certificates in PEM; what was read before stays in use");
      assertFalse(second.err().contains("-> dead"), second.err());
      writeAuthorities(another.chainPem());
      second.awaitError(peer + "suspect -> dead, silent for ");
      assertTrue(second.err().contains("its certificate is not trusted here"), second.err());
      writeAuthorities(authority.chainPem());
      second.awaitError(peer + "dead -> alive, after silence of ");
      second.terminate().awaitExit();
      first.terminate().awaitExit();
      assertFalse((first.err() + second.err()).contains("BEGIN"), second.err());
    }
  }

  @Test
  void authoritiesThatCannotBeUsedEndInOneLine() throws Exception {
    Path missing = folder.resolve("missing.pem");
    assertEndsWith("peers-ca [" + key + "]: expected certificates in PEM", key);
    assertEndsWith("peers-ca [" + missing + "]: cannot be read: ", missing);
  }

  private static void assertEndsWith(String error, Path ca) throws Exception {
    CommandRun.of(
            Map.of("PORT", "0", "PENSIEVE_DURABILITY", "none"),
            "--peers",
            "https://localhost:1",
            "--peers-ca",
            ca.toString())
        .assertEndsInOneLine(error);
  }

  private ServerProcess serve(String... more) throws Exception {
    List<String> all = new ArrayList<>(List.of("--durability", "none"));
    all.addAll(List.of("--tls-certificate", chain.toString(), "--tls-key", key.toString()));
    all.addAll(List.of(more));
    return ServerProcess.serve(folder, all.toArray(String[]::new));
  }

  /** In one step, so that the contents in between are not seen. */
  private void writeAuthorities(byte[] pem) throws Exception {
    Path fresh = Files.write(folder.resolve("fresh"), pem);
    Files.move(
        fresh, authorities, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
