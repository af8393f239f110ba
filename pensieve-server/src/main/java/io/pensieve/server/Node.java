package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.Pensieve;
import io.pensieve.server.http.Access;
import io.pensieve.server.http.AccessLog;
import io.pensieve.server.http.Alarms;
import io.pensieve.server.http.Cluster;
import io.pensieve.server.http.FileDescriptors;
import io.pensieve.server.http.HttpServer;
import io.pensieve.server.http.StoredValue;
import io.pensieve.server.http.Tls;
import io.pensieve.server.http.Traffic;
import io.pensieve.server.peers.PeerTrust;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A running server: the map, the routes to it, and the view of the other nodes. */
final class Node implements AutoCloseable {
  private static final Duration RELOAD_PERIOD = Duration.ofSeconds(1);

  private static final Duration ALARM_PERIOD = Duration.ofSeconds(1);
  private static final long ACCESS_LOG_RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  private final Pensieve<String, StoredValue> memories;
  private final Reloads reloads;
  private final Watch watch;
  private final HttpServer http;
  private final Optional<AccessLines> accessLines;
  private final AlarmWatch alarmWatch;
  private final String scheme;

  private Node(
      Pensieve<String, StoredValue> memories,
      Reloads reloads,
      Watch watch,
      HttpServer http,
      Optional<AccessLines> accessLines,
      AlarmWatch alarmWatch,
      String scheme) {
    this.memories = memories;
    this.reloads = reloads;
    this.watch = watch;
    this.http = http;
    this.accessLines = accessLines;
    this.alarmWatch = alarmWatch;
    this.scheme = scheme;
  }

  /**
   * Recovers the map, starts to watch the peers, and listens.
   *
   * @param out is told what was recovered
   * @param err is told when a peer's state changes, of files that were read again, and of alarms;
   *     must not wait
   * @param accessOut where the access log goes if that is the standard output
   * @throws StartFailure if that cannot be done here; nothing is left open then
   */
  static Node start(
      Configuration configuration, PrintStream out, PrintStream err, PrintStream accessOut) {
    Reloads reloads = new Reloads(RELOAD_PERIOD, err);
    Alarms alarms = new Alarms(err::println);
    // Before the log is opened, which may take long.
    Access access = AccessSource.access(configuration, reloads, err);
    Optional<Tls> tls = tls(configuration.tlsFiles(), reloads, err);
    PeerTrust trust = trust(configuration.peersCa(), reloads);
    Optional<AccessLines> accessLines = accessLines(configuration.accessLog(), accessOut, alarms);
    Pensieve<String, StoredValue> memories = new LogOpening(configuration, out, err).open();
    try {
      Watch watch =
          new Watch(
              configuration.nodeId(),
              configuration.peers(),
              access::peerSecret,
              trust,
              err,
              alarms);
      try {
        // Now that the log has its files.
        Traffic traffic = traffic(configuration.traffic(), err);
        HttpServer http =
            listen(configuration, traffic, access, tls, accessLines, memories, watch, alarms);
        AlarmWatch alarmWatch =
            new AlarmWatch(
                alarms,
                () -> memories.statistics().log(),
                FileDescriptors::ofProcess,
                watch::settle,
                ALARM_PERIOD);
        reloads.start();
        accessLines.ifPresent(AccessLines::start);
        String scheme = tls.isPresent() ? "https" : "http";
        return new Node(memories, reloads, watch, http, accessLines, alarmWatch.start(), scheme);
      } catch (RuntimeException | Error notListening) {
        watch.close();
        throw notListening;
      }
    } catch (RuntimeException | Error notStarted) {
      memories.close();
      throw notStarted;
    }
  }

  private static Optional<Tls> tls(List<Path> files, Reloads reloads, PrintStream err) {
    if (files.isEmpty()) {
      return Optional.empty();
    }
    Tls tls = new Tls();
    reloads.use("tls", files, contents -> tls.replace(contents.get(0), contents.get(1)));
    Reloads.warnIfOthersCanUse(files.get(1), err);
    return Optional.of(tls);
  }

  private static PeerTrust trust(Optional<Path> file, Reloads reloads) {
    PeerTrust trust = new PeerTrust();
    file.ifPresent(
        ca ->
            reloads.use(
                Setting.PEERS_CA.title(),
                List.of(ca),
                contents -> trust.replace(Tls.certificates(contents.get(0)))));
    return trust;
  }

  private static Optional<AccessLines> accessLines(String where, PrintStream out, Alarms alarms) {
    if (where.isEmpty()) {
      return Optional.empty();
    }
    if (where.equals("-")) {
      OutputStream kept = kept(out);
      return Optional.of(
          new AccessLines(
              () -> new OutputStreamWriter(kept, UTF_8), alarms, ACCESS_LOG_RETRY_NANOS));
    }
    try {
      Path path = Path.of(where);
      AccessLines.Target file = AccessLines.file(path);
      // Fails here if it cannot be written; but a pipe would wait for a reader, so not that.
      if (!Files.exists(path) || Files.isRegularFile(path)) {
        file.open().close();
      }
      return Optional.of(new AccessLines(file, alarms, ACCESS_LOG_RETRY_NANOS));
    } catch (IOException | InvalidPathException refused) {
      throw new StartFailure("cannot write the access log " + where + ": " + refused, refused);
    }
  }

  // What is told of the end comes after the access log's, so that must not close the stream.
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

  private static Traffic traffic(Traffic asked, PrintStream err) {
    return new Traffic(
        Descriptors.connectionsMax(asked.connectionsMax(), err),
        asked.requestsMax(),
        asked.silenceMax(),
        asked.drainDeadline());
  }

  private static HttpServer listen(
      Configuration configuration,
      Traffic traffic,
      Access access,
      Optional<Tls> tls,
      Optional<AccessLines> accessLines,
      Pensieve<String, StoredValue> memories,
      Cluster cluster,
      Alarms alarms) {
    InetSocketAddress address = configuration.address();
    HttpServer.Settings settings =
        new HttpServer.Settings(
            address,
            configuration.limits(),
            access,
            configuration.durability(),
            traffic,
            tls,
            accessLines.<AccessLog>map(lines -> lines).orElseGet(AccessLog::none));
    try {
      return HttpServer.start(settings, memories, cluster, alarms);
    } catch (IOException refused) {
      throw new StartFailure(
          "cannot listen on " + Configuration.text(address) + ": " + refused.getMessage(), refused);
    }
  }

  /** Where it listens, as in {@code http://127.0.0.1:7878}. */
  String url() {
    return scheme + "://" + Configuration.text(http.address());
  }

  /** Reads files again that have changed, and opens the access log anew. */
  void reload() {
    reloads.lookNow();
    accessLines.ifPresent(AccessLines::reopen);
  }

  /**
   * Answers what is in flight, and then forces and closes the log: in that order, so that whatever
   * was acknowledged is in the log, and each of them whatever becomes of the others. None of them
   * waits for a client, a peer, a pipe or a file for longer than it says. A second call does
   * nothing.
   */
  @Override
  public void close() {
    List<AutoCloseable> inTurn = new ArrayList<>(List.of(reloads, http));
    accessLines.ifPresent(inTurn::add);
    inTurn.addAll(List.of(watch, alarmWatch, memories));
    Closing.inTurn(inTurn);
  }
}
