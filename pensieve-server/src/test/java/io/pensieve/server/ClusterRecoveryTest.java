package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code cluster recover}: one survivor goes on. */
final class ClusterRecoveryTest {
  private static final int KEYS = 20;

  private final Path folder;

  ClusterRecoveryTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void theLastNodeGoesOnAloneAndGrowsAgain() throws Exception {
    try (ServersOfCluster servers = new ServersOfCluster(folder, 4)) {
      servers.start(1, 2, 3);
      servers.awaitReady(1, 2, 3);
      for (int key = 0; key < KEYS; key++) {
        servers.putInTheEnd(1 + key % 3, "key" + key, "value" + key);
      }
      String etag = etag(servers, 2, "key7");
      String metrics = servers.get(2, "/metrics").body();
      assertTrue(
          Pattern.compile("(?m)^pensieve_replication_force_seconds_count [1-9]")
              .matcher(metrics)
              .find(),
          metrics);
      assertEquals(2, servers.run(2, "cluster", "recover", "--yes"));
      assertTrue(servers.printed().contains("this node runs: stop it first"), servers::printed);
      servers.stop(1);
      servers.stop(3);
      servers.stop(2);

      tearEnd(servers.data(2));
      assertEquals(2, servers.run(2, "cluster", "recover"));
      assertTrue(servers.printed().contains("nothing was changed"), servers::printed);
      servers.forgetPrinted();
      assertEquals(0, servers.run(2, "cluster", "recover", "--yes"), servers::printed);
      String told = servers.printed();
      assertTrue(told.contains("versions up to   " + lastVersion(etag)), told);
      assertTrue(told.contains("cluster add URL --url " + servers.url(2)), told);

      servers.with(Setting.PEERS, servers.url(2)).start(2);
      servers.awaitReady(2);
      for (int key = 0; key < KEYS; key++) {
        assertEquals("value" + key, servers.get(2, "/v1/kv/key" + key).body());
      }
      assertEquals(etag, etag(servers, 2, "key7"));
      servers.putInTheEnd(2, "key7", "newer");
      assertTrue(versionOf(etag(servers, 2, "key7")) > lastVersion(etag));

      servers.start(4);
      servers.await(
          "the new node asks to be added",
          () -> servers.get(4, "/readyz").body().contains("cluster add " + servers.url(4)));
      assertEquals(0, servers.run(2, "cluster", "add", servers.url(4)), servers::printed);
      servers.awaitReady(4);
      assertEquals("newer", servers.get(4, "/v1/kv/key7?consistency=stale").body());
      assertEquals("{\"count\":" + KEYS + "}", servers.get(4, "/v1/count").body());
      servers.putInTheEnd(4, "more", "value");
      assertEquals("value", servers.get(2, "/v1/kv/more").body());
    }
  }

  /** As by a power cut: behind the last entry there is the beginning of another one. */
  private static void tearEnd(Path data) throws IOException {
    try (Stream<Path> files = Files.walk(data)) {
      Path newest =
          files
              .filter(file -> file.getFileName().toString().startsWith("log_inprogress_"))
              .findFirst()
              .orElseThrow();
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(newest));
      int end = 8; // the magic; then entries: a varint, so many bytes, and four of their sum
      while (end < bytes.limit() && bytes.get(end) != 0) {
        int length = 0;
        int shift = 0;
        byte next;
        do {
          next = bytes.get(end++);
          length |= (next & 0x7f) << shift;
          shift += 7;
        } while (next < 0);
        end += length + Integer.BYTES;
      }
      byte[] torn = Arrays.copyOf(bytes.array(), end + 3);
      torn[end] = 100;
      torn[end + 1] = 8;
      torn[end + 2] = 1;
      Files.write(newest, torn);
    }
  }

  private static String etag(ServersOfCluster servers, int id, String key) throws Exception {
    return servers.get(id, "/v1/kv/" + key).headers().firstValue("ETag").orElseThrow();
  }

  private static long versionOf(String etag) {
    return Long.parseLong(etag.replace("\"", ""));
  }

  // All writes were one by one, in the order of the keys, and under one leader.
  private static long lastVersion(String etagOfKey7) {
    return versionOf(etagOfKey7) + KEYS - 1 - 7;
  }

  @Test
  void onlyTheFolderOfANodeCanBeRecovered() throws Exception {
    try (ServersOfCluster servers = new ServersOfCluster(folder, 3)) {
      assertEquals(2, servers.run(1, "cluster", "recover", "--yes"));
      assertTrue(servers.printed().contains("is not the folder of a node"), servers::printed);
      assertFalse(Files.exists(servers.data(1)));
      servers.start(1);
      servers.stop(1);
      servers.forgetPrinted();
      assertEquals(2, servers.run(1, "cluster", "recover", "--yes"));
      assertTrue(servers.printed().contains("has no data of a cluster"), servers::printed);
    }
  }
}
