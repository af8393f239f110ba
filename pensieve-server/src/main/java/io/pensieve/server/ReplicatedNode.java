package io.pensieve.server;

import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.replication.ratis.PeerTls;
import io.pensieve.server.http.HttpServer;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.DurationMetric;
import io.pensieve.server.http.transport.ReloadableTls;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.peers.PeerTrust;
import io.pensieve.server.replication.CapacityMonitor;
import io.pensieve.server.replication.RaftNode;
import io.pensieve.server.replication.ReplicationSettings;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;

/**
 * This server as a node of a cluster, by its settings. Only a server that replicates loads this
 * class, and with it the consensus engine.
 */
final class ReplicatedNode implements AutoCloseable {
  private static final Pattern LOG_FILE = Pattern.compile("[0-9a-f]{16}\\.(?:log|base)");
  private static final Duration HAND_OVER_PATIENCE = Duration.ofSeconds(5);

  private final RaftNode node;
  private final PeerTrust trust;
  private final DurationMetric commits;

  private ReplicatedNode(RaftNode node, PeerTrust trust, DurationMetric commits) {
    this.node = node;
    this.trust = trust;
    this.commits = commits;
  }

  /**
   * Prepares the node. Starts nothing.
   *
   * @param err receives a line for each event of the cluster
   * @param onFailure called if the node cannot go on
   */
  static ReplicatedNode of(
      Configuration configuration,
      Configuration.RaftEndpoint raft,
      ServerInputs inputs,
      PrintStream err,
      Consumer<Throwable> onFailure) {
    requireNoOtherLog(configuration.dataDir());
    DurationMetric commits =
        new DurationMetric(
            "pensieve_replication_commit_seconds",
            "From a leader's proposal of an entry until a majority has forced it.");
    InetAddress bind = configuration.address().getAddress();
    ReplicationSettings settings =
        new ReplicationSettings(
            configuration.dataDir(),
            Long.toString(configuration.nodeId()),
            raft.url(),
            configuration.peers(),
            bind.isAnyLocalAddress() ? "" : bind.getHostAddress(),
            raft.port(),
            raft.logBytes(),
            raftTls(configuration, inputs.fileReloader()),
            configuration.limits().logEntryBytesMax(),
            configuration.limits().capacity(),
            inputs.authorizer()::peerToken,
            inputs.trust()::context);
    try {
      return new ReplicatedNode(
          new RaftNode(
              settings,
              line -> print(err, line),
              onFailure,
              commits::record,
              new CapacityAlarms(inputs.alarms())),
          inputs.trust(),
          commits);
    } catch (LogException unusable) {
      throw new StartupException(String.valueOf(unusable.getMessage()), unusable);
    }
  }

  private record CapacityAlarms(Alarms alarms) implements CapacityMonitor.Listener {
    @Override
    public void differs(String member, String reason) {
      alarms.raise(Alarms.Kind.CAPACITY_DIFFERS, member, reason);
    }

    @Override
    public void isSame(String member) {
      alarms.clear(Alarms.Kind.CAPACITY_DIFFERS, member);
    }
  }

  // Its entries would be left out. A backup has its files only.
  private static void requireNoOtherLog(Path folder) {
    if (EntryCapacity.lastIn(folder).isPresent() || hasLogFile(folder)) {
      throw new StartupException(
          folder
              + " holds the log of a server that does not replicate. To found a cluster with its"
              + " entries: pensieve-server cluster restore "
              + folder
              + " "
              + Setting.DATA_DIR.flag()
              + " NEW_FOLDER",
          null);
    }
  }

  private static boolean hasLogFile(Path folder) {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.anyMatch(file -> LOG_FILE.matcher(String.valueOf(file.getFileName())).matches());
    } catch (IOException unreadable) {
      throw new StartupException("cannot read " + folder + ": " + unreadable, unreadable);
    }
  }

  private static void print(PrintStream err, String line) {
    err.println(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " cluster: " + line);
  }

  private static Optional<PeerTls> raftTls(Configuration configuration, FileReloader reloader) {
    if (configuration.tlsFiles().isEmpty()) {
      return Optional.empty();
    }
    PeerTls tls = new PeerTls();
    List<Path> files = new ArrayList<>(configuration.tlsFiles());
    files.add(configuration.peersCa().orElseThrow());
    reloader.use(
        "replication-tls",
        files,
        contents -> {
          List<X509Certificate> chain = ReloadableTls.certificates(contents.get(0));
          tls.replace(
              chain,
              ReloadableTls.privateKey(contents.get(1), chain.get(0).getPublicKey().getAlgorithm()),
              ReloadableTls.certificates(contents.get(2)));
        });
    return Optional.of(tls);
  }

  Log<String, StoredValue> log() {
    return node.log();
  }

  HttpServer.Replicated forRoutes() {
    return new HttpServer.Replicated(node.replication(), this::context, commits);
  }

  private SSLContext context() {
    try {
      return trust.context();
    } catch (IOException unusable) {
      throw new UncheckedIOException(unusable);
    }
  }

  void lookForCluster() {
    node.lookForCluster();
  }

  /** Hands the leadership over, if this node leads. Waits for that, but not for long. */
  void handOver() {
    try {
      node.handOver(HAND_OVER_PATIENCE);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    node.close();
  }
}
