package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.transport.ReloadableTls;
import io.pensieve.server.peers.PeerTrust;
import io.pensieve.server.process.AccessLogWriter;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a server reads before it opens its log.
 *
 * @param fileReloader reads the files again
 * @param trust decides which TLS server is a peer
 */
record ServerInputs(
    FileReloader fileReloader,
    Alarms alarms,
    Authorizer authorizer,
    Optional<ReloadableTls> tls,
    PeerTrust trust,
    Optional<AccessLogWriter> accessLines) {
  private static final Duration RELOAD_PERIOD = Duration.ofSeconds(1);
  private static final long ACCESS_LOG_RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /**
   * Reads them.
   *
   * @throws StartupException if one cannot be used
   */
  static ServerInputs read(Configuration configuration, PrintStream err, PrintStream accessOut) {
    FileReloader fileReloader = new FileReloader(RELOAD_PERIOD, err);
    Alarms alarms = new Alarms(err::println);
    return new ServerInputs(
        fileReloader,
        alarms,
        TokenSource.access(configuration, fileReloader, err),
        tls(configuration.tlsFiles(), fileReloader, err),
        trust(configuration.peersCa(), fileReloader),
        accessLines(configuration.accessLog(), accessOut, alarms));
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
}
