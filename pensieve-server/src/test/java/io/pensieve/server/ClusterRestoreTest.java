package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code cluster restore}: a cluster begins with the entries of a single server. */
final class ClusterRestoreTest {
  private static final int KEYS = 20;

  private final Path folder;

  ClusterRestoreTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void aSingleServerMovesToACluster() throws Exception {
    try (ServersOfCluster servers = new ServersOfCluster(folder, 5)) {
      List<String> etags = fillSingleServer(servers);
      Path alone = servers.data(4);
      List<String> files = files(alone);

      servers.with(Setting.REPLICATE, "true");
      StartupException refused = assertThrows(StartupException.class, () -> servers.start(4));
      assertTrue(
          refused.toString().contains("cluster restore " + alone + " --data-dir NEW_FOLDER"),
          refused::toString);

      assertEquals(0, servers.run(1, "cluster", "restore", alone.toString()), servers::printed);
      assertTrue(servers.printed().contains("restored " + KEYS + " entries"), servers::printed);
      assertEquals(files, files(alone));
      assertFalse(Files.exists(Path.of(servers.data(1) + ".restoring")));
      assertEquals(2, servers.run(1, "cluster", "restore", alone.toString()));
      assertTrue(servers.printed().contains("is not empty"), servers::printed);

      servers.start(1, 2, 3);
      servers.awaitReady(1);
      for (int added = 2; added <= 3; added++) {
        int id = added;
        servers.await(
            "node " + id + " asks to be added",
            () -> servers.get(id, "/readyz").body().contains("cluster add " + servers.url(id)));
        assertEquals(0, servers.run(1, "cluster", "add", servers.url(id)), servers::printed);
        servers.awaitReady(id);
      }
      for (int id = 1; id <= 3; id++) {
        assertEquals("{\"count\":" + KEYS + "}", servers.get(id, "/v1/count").body());
        for (int key = 0; key < KEYS; key++) {
          HttpResponse<String> read = servers.get(id, "/v1/kv/key" + key + "?consistency=stale");
          assertEquals("value" + key, read.body());
          assertEquals(etags.get(key), etag(read));
          assertEquals("text/plain", read.headers().firstValue("Content-Type").orElseThrow());
        }
        assertTrue(servers.get(id, "/v1/kv/key0").headers().firstValue("Pensieve-TTL").isPresent());
      }
      servers.putInTheEnd(2, "key7", "newer");
      HttpResponse<String> newer = servers.get(3, "/v1/kv/key7");
      assertEquals("newer", newer.body());
      assertTrue(version(etag(newer)) > version(etags.get(KEYS - 1)));
      assertAnyNodeIsBackedUp(servers);
    }
  }

  private void assertAnyNodeIsBackedUp(ServersOfCluster servers) throws Exception {
    int follower = servers.leader(1) == 2 ? 3 : 2;
    for (int id : new int[] {servers.leader(1), follower}) {
      Path file = folder.resolve("backup" + id + ".tar");
      servers.download(id, "/v1/backup", file);
      Path alone = folder.resolve("restored" + id);
      CommandRun restored =
          CommandRun.of(Map.of(), "restore", file.toString(), "--data-dir", alone.toString());
      assertEquals("restored " + KEYS + " entries to " + alone + "\n", restored.out());
    }
    Path file = folder.resolve("backup" + follower + ".tar");
    servers.forgetPrinted();
    assertEquals(0, servers.run(5, "cluster", "restore", file.toString()), servers::printed);
    assertTrue(servers.printed().contains("restored " + KEYS + " entries"), servers::printed);
    assertFalse(Files.exists(Path.of(servers.data(5) + ".unpacked")));
  }

  /** Returns the versions of the entries. */
  private static List<String> fillSingleServer(ServersOfCluster servers) throws Exception {
    servers.without(Setting.REPLICATE).start(4);
    List<String> etags = new ArrayList<>();
    servers.putInTheEnd(4, "removed", "value");
    for (int key = 0; key < KEYS; key++) {
      HttpResponse<String> put =
          servers.send(
              servers
                  .request(4, "/v1/kv/key" + key + (key == 0 ? "?ttl=10m" : ""))
                  .header("Content-Type", "text/plain")
                  .PUT(BodyPublishers.ofString("value" + key)));
      etags.add(etag(put));
    }
    assertEquals(204, servers.send(servers.request(4, "/v1/kv/removed").DELETE()).statusCode());
    servers.stop(4);
    return etags;
  }

  private static String etag(HttpResponse<String> response) {
    return response.headers().firstValue("ETag").orElseThrow();
  }

  private static long version(String etag) {
    return Long.parseLong(etag.replace("\"", ""));
  }

  private static List<String> files(Path folder) throws Exception {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        found.add(file.getFileName() + " " + Files.getLastModifiedTime(file));
      }
    }
    return found;
  }

  @Test
  void whatIsNoLogOrDoesNotFitIsRefused() throws Exception {
    try (ServersOfCluster servers = new ServersOfCluster(folder, 4)) {
      assertEquals(2, servers.run(1, "cluster", "restore", folder.resolve("none").toString()));
      assertTrue(servers.printed().contains("is no folder"), servers::printed);
      List<String> unused = fillSingleServer(servers);
      servers.with(Setting.CAPACITY, "5");
      servers.with(Setting.REPLICATE, "true");
      assertEquals(2, servers.run(1, "cluster", "restore", servers.data(4).toString()));
      assertTrue(servers.printed().contains("would lose 15 of 20 entries"), servers::printed);
      assertFalse(Files.exists(servers.data(1)));
    }
  }
}
