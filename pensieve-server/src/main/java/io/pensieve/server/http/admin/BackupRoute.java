package io.pensieve.server.http.admin;

import io.pensieve.Pensieve;
import io.pensieve.log.LogException;
import io.pensieve.server.backup.BackupArchive;
import io.pensieve.server.backup.BackupExtractor;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.transport.Permits;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The route that copies the log of a running server. The copy is made in the data folder first, as
 * fast as its disk allows, and then sent as fast as the client reads: a slow client holds up
 * neither writers nor compactions.
 */
public final class BackupRoute {
  private static final Pattern COPY = Pattern.compile("backup-\\d+\\.tmp");
  private static final String TAR = "application/x-tar";
  private static final String NO_LOG = "this server keeps no log, so there is nothing to copy";

  private final Pensieve<?, ?> map;
  private final Optional<Path> folder;
  private final Permits permits;
  private final AtomicLong copies = new AtomicLong();

  /**
   * Creates the route, and deletes the copies that an earlier process has left.
   *
   * @param folder where the copies are made; empty if the map has no log
   * @param permits how many backups may be under way
   */
  public BackupRoute(Pensieve<?, ?> map, Optional<Path> folder, Permits permits) {
    this.map = map;
    this.folder = folder;
    this.permits = permits;
    folder.ifPresent(BackupRoute::deleteCopies);
  }

  private static void deleteCopies(Path folder) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    List<Path> left;
    try (Stream<Path> files = Files.list(folder)) {
      left =
          files.filter(file -> COPY.matcher(String.valueOf(file.getFileName())).matches()).toList();
    } catch (IOException unreadable) {
      ExceptionMapper.logUnexpected(unreadable);
      return;
    }
    left.forEach(BackupRoute::delete);
  }

  private static void delete(Path copy) {
    try {
      BackupExtractor.delete(copy);
    } catch (IOException | RuntimeException leftForTheNextStart) {
      ExceptionMapper.logUnexpected(leftForTheNextStart);
    }
  }

  public void get(HttpServerExchange exchange) {
    QueryParameters.requireNone(exchange);
    Path copies = folder.orElseThrow(() -> ProblemType.NO_LOG.withDetail(NO_LOG));
    if (exchange.getRequestMethod().equals(Methods.HEAD)) {
      describe(exchange);
      exchange.endExchange();
      return;
    }
    permits.acquire(exchange);
    Path copy = copies.resolve("backup-" + this.copies.incrementAndGet() + ".tmp");
    exchange.dispatch(ExceptionMapper.mapped(onWorker -> copy(onWorker, copy)));
  }

  private static void describe(HttpServerExchange exchange) {
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, TAR);
    exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, "no-store");
    exchange
        .getResponseHeaders()
        .put(Headers.CONTENT_DISPOSITION, "attachment; filename=\"pensieve-backup.tar\"");
  }

  private void copy(HttpServerExchange exchange, Path copy) {
    boolean isSending = false;
    try {
      map.backup(copy);
      Copy source = new Copy(BackupArchive.of(copy), copy);
      exchange.dispatch(exchange.getIoThread(), () -> send(exchange, source));
      isSending = true;
    } catch (UncheckedIOException | IOException notWritten) {
      ExceptionMapper.logUnexpected(notWritten);
      throw ProblemType.BACKUP_FAILED.withDetail(
          "the copy cannot be written to the data folder; is there room for all entries once"
              + " more?");
    } catch (LogException.OutcomeUnknown catchingUp) {
      throw ProblemType.NOT_READY.withDetail(
          "this node of the cluster catches up, or has just lost the lead");
    } catch (UnsupportedOperationException noLog) {
      throw ProblemType.NO_LOG.withDetail(NO_LOG);
    } finally {
      if (!isSending) {
        delete(copy);
      }
    }
  }

  private static void send(HttpServerExchange exchange, Copy source) {
    try {
      describe(exchange);
      DiskBodySender.send(exchange, source.archive().length(), source);
    } catch (RuntimeException | Error clientGone) {
      exchange.getConnection().getWorker().execute(source::close);
      ExceptionMapper.respond(exchange, clientGone);
    }
  }

  /** A copy that is being sent. */
  private record Copy(BackupArchive archive, Path folder) implements DiskBodySender.Source {
    @Override
    public void read(ByteBuffer into) throws IOException {
      archive.read(into);
    }

    @Override
    public void close() {
      try {
        archive.close();
      } catch (IOException onlyRead) {
        ExceptionMapper.logUnexpected(onlyRead);
      }
      delete(folder);
    }
  }
}
