package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.Pensieve;
import io.pensieve.server.http.Cluster;
import io.pensieve.server.http.HttpServer;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.metrics.AccessLog;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.FileDescriptors;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.server.http.transport.ReloadableTls;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.peers.PeerTrust;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A running server: the map, its HTTP routes, and the monitor of the other nodes. */
final class PensieveServer implements AutoCloseable {
  private static final Duration RELOAD_PERIOD = Duration.ofSeconds(1);

  private static final Duration ALARM_PERIOD = Duration.ofSeconds(1);
  private static final long ACCESS_LOG_RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  private final Pensieve<String, StoredValue> map;
  private final FileReloader fileReloader;
  private final ClusterMonitor clusterMonitor;
  private final HttpServer http;
  private final Optional<AccessLogWriter> accessLines;
  private final AlarmMonitor alarmMonitor;
  private final String scheme;
  private final Optional<ReplicatedNode> node;

  private PensieveServer(
      Pensieve<String, StoredValue> map,
      FileReloader fileReloader,
      ClusterMonitor clusterMonitor,
      HttpServer http,
      Optional<AccessLogWriter> accessLines,
      AlarmMonitor alarmMonitor,
      String scheme,
      Optional<ReplicatedNode> node) {
    this.map = map;
    this.fileReloader = fileReloader;
    this.clusterMonitor = clusterMonitor;
    this.http = http;
    this.accessLines = accessLines;
    this.alarmMonitor = alarmMonitor;
    this.scheme = scheme;
    this.node = node;
  }

  /**
   * Recovers the map, starts to watch the peers, and listens.
   *
   * @param out receives lines about the recovery
   * @param err receives lines about peer state changes, reloaded files and alarms; its writes must
   *     not block
   * @param accessOut receives the access log if that goes to the standard output
   * @param onFailure called if this server cannot go on as a node of its cluster
   * @throws StartupException if a step fails; nothing is left open then
   */
  static PensieveServer start(
      Configuration configuration,
      PrintStream out,
      PrintStream err,
      PrintStream accessOut,
      Consumer<Throwable> onFailure) {
    // Read the tokens and certificates before the log: opening the log can take long.
    Inputs inputs = Inputs.read(configuration, err, accessOut);
    Optional<ReplicatedNode> node =
        configuration
            .raft()
            .map(raft -> ReplicatedNode.of(configuration, raft, inputs, err, onFailure));
    MapOpener opener = new MapOpener(configuration, out, err);
    Pensieve<String, StoredValue> map =
        node.isPresent() ? opener.open(node.get().log()) : opener.open();
    try {
      return serve(configuration, inputs, node, map, err);
    } catch (RuntimeException | Error notStarted) {
      map.close();
      throw notStarted;
    }
  }

  private static PensieveServer serve(
      Configuration configuration,
      Inputs inputs,
      Optional<ReplicatedNode> node,
      Pensieve<String, StoredValue> map,
      PrintStream err) {
    ClusterMonitor clusterMonitor = monitor(configuration, inputs, err);
    try {
      // Count the file descriptors only now that the log has opened its files.
      ConnectionLimits connections = traffic(configuration.connections(), err);
      HttpServer http =
          listen(
              settings(configuration, connections, inputs),
              map,
              clusterMonitor,
              inputs.alarms(),
              node);
      node.ifPresent(ReplicatedNode::lookForCluster);
      AlarmMonitor watching = monitor(map, clusterMonitor, inputs.alarms()).start();
      inputs.fileReloader().start();
      inputs.accessLines().ifPresent(AccessLogWriter::start);
      String scheme = inputs.tls().isPresent() ? "https" : "http";
      return new PensieveServer(
          map,
          inputs.fileReloader(),
          clusterMonitor,
          http,
          inputs.accessLines(),
          watching,
          scheme,
          node);
    } catch (RuntimeException | Error notListening) {
      clusterMonitor.close();
      throw notListening;
    }
  }

  /**
   * What a server reads before it opens its log.
   *
   * @param fileReloader reads the files again
   * @param trust decides which TLS server is a peer
   */
  record Inputs(
      FileReloader fileReloader,
      Alarms alarms,
      Authorizer authorizer,
      Optional<ReloadableTls> tls,
      PeerTrust trust,
      Optional<AccessLogWriter> accessLines) {

    static Inputs read(Configuration configuration, PrintStream err, PrintStream accessOut) {
      FileReloader fileReloader = new FileReloader(RELOAD_PERIOD, err);
      Alarms alarms = new Alarms(err::println);
      return new Inputs(
          fileReloader,
          alarms,
          TokenSource.access(configuration, fileReloader, err),
          PensieveServer.tls(configuration.tlsFiles(), fileReloader, err),
          PensieveServer.trust(configuration.peersCa(), fileReloader),
          PensieveServer.accessLines(configuration.accessLog(), accessOut, alarms));
    }
  }

  private static ClusterMonitor monitor(
      Configuration configuration, Inputs inputs, PrintStream err) {
    return new ClusterMonitor(
        configuration.nodeId(),
        configuration.peers(),
        inputs.authorizer()::peerSecret,
        inputs.trust(),
        err,
        inputs.alarms());
  }

  private static AlarmMonitor monitor(
      Pensieve<String, StoredValue> map, ClusterMonitor clusterMonitor, Alarms alarms) {
    return new AlarmMonitor(
        alarms,
        () -> map.statistics().log(),
        FileDescriptors::ofProcess,
        clusterMonitor::reportSettled,
        ALARM_PERIOD);
  }

  private static Optional<ReloadableTls> tls(
      List<Path> files, FileReloader fileReloader, PrintStream err) {
    if (files.isEmpty()) {
      return Optional.empty();
    }
    ReloadableTls tls = new ReloadableTls();
    fileReloader.use("tls", files, contents -> tls.replace(contents.get(0), contents.get(1)));
    FileReloader.warnIfOthersCanUse(files.get(1), err);
    return Optional.of(tls);
  }

  private static PeerTrust trust(Optional<Path> file, FileReloader fileReloader) {
    PeerTrust trust = new PeerTrust();
    file.ifPresent(
        ca ->
            fileReloader.use(
                Setting.PEERS_CA.title(),
                List.of(ca),
                contents -> trust.replace(ReloadableTls.certificates(contents.get(0)))));
    return trust;
  }

  private static Optional<AccessLogWriter> accessLines(
      String where, PrintStream out, Alarms alarms) {
    if (where.isEmpty()) {
      return Optional.empty();
    }
    if (where.equals("-")) {
      OutputStream kept = kept(out);
      return Optional.of(
          new AccessLogWriter(
              () -> new OutputStreamWriter(kept, UTF_8), alarms, ACCESS_LOG_RETRY_NANOS));
    }
    try {
      Path path = Path.of(where);
      AccessLogWriter.Target file = AccessLogWriter.file(path);
      // A regular file that cannot be written fails here. Opening a pipe would block, so skip it.
      if (!Files.exists(path) || Files.isRegularFile(path)) {
        file.open().close();
      }
      return Optional.of(new AccessLogWriter(file, alarms, ACCESS_LOG_RETRY_NANOS));
    } catch (IOException | InvalidPathException refused) {
      throw new StartupException("cannot write the access log " + where + ": " + refused, refused);
    }
  }

  // The last lines follow the end of the access log, so closing that must not close the stream.
  private static OutputStream kept(PrintStream out) {
    return new FilterOutputStream(out) {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
      }

      @Override
      public void close() throws IOException {
        flush();
      }
    };
  }

  private static ConnectionLimits traffic(ConnectionLimits asked, PrintStream err) {
    return new ConnectionLimits(
        DescriptorLimit.connectionsMax(asked.connectionsMax(), err),
        asked.requestsMax(),
        asked.silenceMax(),
        asked.drainDeadline());
  }

  private static HttpServer.Settings settings(
      Configuration configuration, ConnectionLimits connections, Inputs inputs) {
    return new HttpServer.Settings(
        configuration.address(),
        configuration.limits(),
        inputs.authorizer(),
        configuration.durability(),
        connections,
        inputs.tls(),
        inputs.accessLines().<AccessLog>map(lines -> lines).orElseGet(AccessLog::none),
        configuration.ui());
  }

  private static HttpServer listen(
      HttpServer.Settings settings,
      Pensieve<String, StoredValue> map,
      Cluster cluster,
      Alarms alarms,
      Optional<ReplicatedNode> node) {
    try {
      return HttpServer.start(settings, map, cluster, alarms, node.map(ReplicatedNode::forRoutes));
    } catch (IOException refused) {
      throw new StartupException(
          "cannot listen on "
              + Configuration.text(settings.address())
              + ": "
              + refused.getMessage(),
          refused);
    }
  }

  /** Returns the URL of the server, such as {@code http://127.0.0.1:7878}. */
  String url() {
    return scheme + "://" + Configuration.text(http.address());
  }

  /** Reloads files that have changed, and reopens the access log. */
  void reload() {
    fileReloader.lookNow();
    accessLines.ifPresent(AccessLogWriter::reopen);
  }

  /**
   * Hands the leadership of the cluster over, if there is one. Completes the requests in flight,
   * then forces and closes the log. This order puts every acknowledged write into the log. Each
   * part closes even if another one fails. No part waits longer than its own limit for a client, a
   * peer, a pipe or a file. A second call does nothing.
   */
  @Override
  public void close() {
    List<AutoCloseable> inTurn = new ArrayList<>();
    // While the server still answers: requests that come meanwhile go to the new leader.
    node.ifPresent(leading -> inTurn.add(leading::handOver));
    inTurn.addAll(List.of(fileReloader, http));
    accessLines.ifPresent(inTurn::add);
    node.ifPresent(inTurn::add);
    inTurn.addAll(List.of(clusterMonitor, alarmMonitor, map));
    Closer.closeAll(inTurn);
  }
}
