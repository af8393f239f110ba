package io.pensieve.server.http;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Log;
import io.pensieve.log.file.FileLog;
import io.pensieve.server.http.admin.Administration;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.tools.BackupRestorer;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The log of a running server as a stream. */
@Timeout(120)
final class BackupRouteTest {
  private static final int LARGE_BYTES = 1 << 20;
  private static final int LARGE_COUNT = 24; // more than the buffers of a connection take
  private static final Duration SILENCE = Duration.ofMillis(1_200);

  private final Path data;
  private final Path folder;

  BackupRouteTest(@TempDir Path folder) {
    this.folder = folder;
    this.data = folder.resolve("data");
  }

  private ServerUnderTest serve(Duration silenceMax) throws Exception {
    FileLog<String, StoredValue> log = FileLog.at(data, Codec.utf8(), StoredValue.codec());
    return new ServerUnderTest(log, settings(silenceMax, Optional.of(data)), Cluster.alone(1));
  }

  private static HttpServer.Settings settings(Duration silenceMax, Optional<Path> copies) {
    ConnectionLimits limits = ConnectionLimits.defaults();
    return ServerUnderTest.on()
        .connections(
            new ConnectionLimits(
                limits.connectionsMax(), limits.requestsMax(), silenceMax, Duration.ofSeconds(2)))
        .administration(new Administration(copies, Optional.empty()))
        .build();
  }

  private static Duration patient() {
    return ConnectionLimits.defaults().silenceMax();
  }

  private void fill(ServerUnderTest server) {
    for (int i = 0; i < LARGE_COUNT; i++) {
      server.map.put("large" + i, String.valueOf(i % 10).repeat(LARGE_BYTES));
    }
  }

  private List<Path> copies() throws Exception {
    try (Stream<Path> files = Files.list(data)) {
      return files
          .filter(file -> file.toString().endsWith(".tmp"))
          .filter(Files::isDirectory)
          .toList();
    }
  }

  private void awaitNoCopies() throws Exception {
    Await.until("no copy", () -> copies().isEmpty());
  }

  @Test
  void aBackupHasAllEntriesWithVersionsTypesAndOrder() throws Exception {
    List<Map.Entry<String, StoredValue>> expected = new ArrayList<>();
    byte[] archive;
    try (ServerUnderTest server = serve(patient())) {
      server.send(
          server
              .request("/v1/kv/typed?ttl=1h")
              .header("Content-Type", "a/b")
              .PUT(BodyPublishers.ofString("1")));
      fill(server);
      server.put("removed", "1");
      server.delete("removed");
      server.get("large0"); // is the last one used now
      HttpResponse<byte[]> response = server.sendForBytes(server.request("/v1/backup"));
      assertEquals(200, response.statusCode());
      assertEquals("application/x-tar", response.headers().firstValue("Content-Type").orElse(""));
      archive = response.body();
      server.put("later", "1");
      server.entries.coldestFirst().forEach(expected::add);
      awaitNoCopies();
    }
    expected.removeIf(entry -> entry.getKey().equals("later"));
    Path restored = folder.resolve("restored");
    assertEquals(
        LARGE_COUNT + 1, BackupRestorer.restore(new ByteArrayInputStream(archive), restored));
    FileLog<String, StoredValue> log = FileLog.at(restored, Codec.utf8(), StoredValue.codec());
    try (Pensieve<String, StoredValue> map =
        Pensieve.<String, StoredValue>builder().log(log).open()) {
      List<Map.Entry<String, StoredValue>> found = new ArrayList<>();
      map.coldestFirst().forEach(found::add);
      assertEquals(
          expected.stream().map(Map.Entry::getKey).toList(),
          found.stream().map(Map.Entry::getKey).toList());
      assertEquals(expected, found);
      assertTrue(requireNonNull(map.getVersioned("typed")).expiry().isPresent());
    }
  }

  @Test
  void oneBackupAtATimeAndAClientThatLeavesGivesItBack() throws Exception {
    try (ServerUnderTest server = serve(patient())) {
      fill(server);
      try (RawClient first = server.connect()) {
        first.request("GET", "/v1/backup");
        Await.until("a copy", () -> !copies().isEmpty());
        HttpResponse<String> refused = server.send(server.request("/v1/backup"));
        assertEquals(503, refused.statusCode());
        assertEquals("too_many_backups", ServerUnderTest.code(refused.body()));
        assertTrue(refused.headers().firstValue("Retry-After").isPresent());
      }
      awaitNoCopies();
      Await.until("no request", () -> server.http.requestsInFlight() == 0);
      assertEquals(200, server.sendForBytes(server.request("/v1/backup")).statusCode());
    }
  }

  @Test
  void aClientThatStopsReadingIsCutOffAndHoldsNothing() throws Exception {
    try (ServerUnderTest server = serve(SILENCE)) {
      fill(server); // before the client connects, or it may have been silent for too long already
      try (RawClient silent = server.connect()) {
        silent.request("GET", "/v1/backup");
        silent.awaitFirstByte();
        awaitNoCopies();
        Await.until("no request", () -> server.http.requestsInFlight() == 0);
        assertTrue(silent.countToEnd() < LARGE_COUNT * LARGE_BYTES, "not all of it came");
      }
    }
  }

  @Test
  void aServerThatStopsCutsABackupOff() throws Exception {
    try (RawClient silent = aBackupWhoseServerStops()) {
      assertTrue(silent.countToEnd() < LARGE_COUNT * LARGE_BYTES, "not all of it came");
    }
  }

  private RawClient aBackupWhoseServerStops() throws Exception {
    try (ServerUnderTest server = serve(patient())) {
      fill(server);
      RawClient silent = server.connect();
      silent.request("GET", "/v1/backup");
      Await.until("a copy", () -> !copies().isEmpty());
      return silent;
    }
  }

  @Test
  void copiesThatAProcessHasLeftAreDeleted() throws Exception {
    Path left = Files.createDirectories(data.resolve("backup-7.tmp"));
    Files.writeString(left.resolve("0000000000000000.log"), "half");
    Path mine = Files.createDirectories(data.resolve("backup-mine.tmp"));
    try (ServerUnderTest server = serve(patient())) {
      assertFalse(Files.exists(left));
      assertTrue(Files.exists(mine));
      assertEquals(200, server.send(server.request("/livez")).statusCode());
    }
  }

  @Test
  void whatCannotBeCopiedIsSaid() throws Exception {
    try (ServerUnderTest none = ServerUnderTest.start()) {
      HttpResponse<String> refused = none.send(none.request("/v1/backup"));
      assertEquals(404, refused.statusCode());
      assertEquals("no_log", ServerUnderTest.code(refused.body()));
    }
    try (ServerUnderTest memory =
        new ServerUnderTest(
            Log.inMemory(10), settings(patient(), Optional.of(folder)), Cluster.alone(1))) {
      assertEquals(
          "no_log", ServerUnderTest.code(memory.send(memory.request("/v1/backup")).body()));
    }
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    FileLog<String, StoredValue> log = FileLog.at(data, Codec.utf8(), StoredValue.codec());
    try (ServerUnderTest server =
        new ServerUnderTest(log, settings(patient(), Optional.of(file)), Cluster.alone(1))) {
      HttpResponse<String> refused = server.send(server.request("/v1/backup"));
      assertEquals(503, refused.statusCode());
      assertEquals("backup_failed", ServerUnderTest.code(refused.body()));
      assertFalse(refused.body().contains(folder.toString()), refused.body());
      assertEquals(
          "invalid_query",
          ServerUnderTest.code(server.send(server.request("/v1/backup?x=y")).body()));
    }
  }

  @Test
  void aHeadCopiesNothing() throws Exception {
    try (ServerUnderTest server = serve(patient())) {
      HttpResponse<String> head =
          server.send(server.request("/v1/backup").method("HEAD", BodyPublishers.noBody()));
      assertEquals(200, head.statusCode());
      assertEquals("application/x-tar", head.headers().firstValue("Content-Type").orElse(""));
      assertEquals(List.of(), copies());
    }
  }
}
