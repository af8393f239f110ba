package io.pensieve.server;

import io.pensieve.Pensieve;
import io.pensieve.server.http.Cluster;
import io.pensieve.server.http.HttpServer;
import io.pensieve.server.http.admin.Administration;
import io.pensieve.server.http.admin.CapacityControl;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.FileDescriptors;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.process.AccessLogWriter;
import io.pensieve.server.process.AlarmMonitor;
import io.pensieve.server.process.Closer;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A running server: the map, its HTTP routes, and the monitor of the other nodes. */
final class PensieveServer implements AutoCloseable {
  private static final Duration ALARM_PERIOD = Duration.ofSeconds(1);

  private final Pensieve<String, StoredValue> map;
  private final CapacityControl capacity;
  private final FileReloader fileReloader;
  private final ClusterMonitor clusterMonitor;
  private final HttpServer http;
  private final Optional<AccessLogWriter> accessLines;
  private final AlarmMonitor alarmMonitor;
  private final String scheme;
  private final Optional<ReplicatedNode> node;

  private PensieveServer(
      Pensieve<String, StoredValue> map,
      CapacityControl capacity,
      FileReloader fileReloader,
      ClusterMonitor clusterMonitor,
      HttpServer http,
      Optional<AccessLogWriter> accessLines,
      AlarmMonitor alarmMonitor,
      String scheme,
      Optional<ReplicatedNode> node) {
    this.map = map;
    this.capacity = capacity;
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
    ServerInputs inputs = ServerInputs.read(configuration, err, accessOut);
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
      ServerInputs inputs,
      Optional<ReplicatedNode> node,
      Pensieve<String, StoredValue> map,
      PrintStream err) {
    ClusterMonitor clusterMonitor = monitor(configuration, inputs, err);
    try {
      // Count the file descriptors only now that the log has opened its files.
      ConnectionLimits connections = traffic(configuration.connections(), err);
      CapacityControl capacity = capacity(configuration, map);
      HttpServer http =
          listen(
              settings(configuration, connections, inputs, capacity),
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
          capacity,
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

  private static ClusterMonitor monitor(
      Configuration configuration, ServerInputs inputs, PrintStream err) {
    return new ClusterMonitor(
        configuration.nodeId(),
        configuration.peers(),
        inputs.authorizer()::peerToken,
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

  private static ConnectionLimits traffic(ConnectionLimits asked, PrintStream err) {
    return new ConnectionLimits(
        DescriptorLimit.connectionsMax(asked.connectionsMax(), err),
        asked.requestsMax(),
        asked.silenceMax(),
        asked.drainDeadline());
  }

  private static CapacityControl capacity(
      Configuration configuration, Pensieve<String, StoredValue> map) {
    boolean isRemembered = configuration.durability().isPresent() && configuration.raft().isEmpty();
    return new CapacityControl(
        map,
        configuration.limits().capacity(),
        bounds -> {
          if (isRemembered) {
            new EntryCapacity(bounds.entries(), bounds.bytes()).rememberIn(configuration.dataDir());
          }
        });
  }

  private static HttpServer.Settings settings(
      Configuration configuration,
      ConnectionLimits connections,
      ServerInputs inputs,
      CapacityControl capacity) {
    HttpServer.Settings.Builder settings =
        HttpServer.Settings.on(configuration.address())
            .limits(configuration.limits())
            .authorizer(inputs.authorizer())
            .durability(configuration.durability())
            .connections(connections)
            .tls(inputs.tls())
            .ui(configuration.ui())
            .administration(
                new Administration(
                    configuration.durability().map(kept -> configuration.dataDir()),
                    Optional.of(capacity)));
    inputs.accessLines().ifPresent(settings::accessLog);
    return settings.build();
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
    accessLines.ifPresent(AccessLogWriter::reopen); // before anything tells that files were read
    fileReloader.lookNow();
  }

  /** Changes the bounds that are given; see {@link CapacityControl#change}. */
  CapacityControl.Bounds changeCapacity(Optional<Long> entries, Optional<Long> bytes) {
    return capacity.change(entries, bytes);
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
