package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.protocol.SizeLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is there again after a stop, and after a kill. */
final class DurabilityTest {
  private static final long POLL_NANOS = 1_000_000;
  private static final String[] AWKWARD = {
    "a,b", "line\nbreak", "\0", "😀", "with \"quotes\"", "a/b?c;d", "é"
  };

  private final Path folder;
  private final Path prints;

  DurabilityTest(@TempDir Path folder, @TempDir Path prints) {
    this.folder = folder;
    this.prints = prints;
  }

  private ServerProcess serve(String durability) throws Exception {
    return ServerProcess.serve(
        prints,
        "--data-dir",
        folder.resolve("data").toString(),
        "--durability",
        durability,
        "--capacity",
        "100000");
  }

  @ParameterizedTest
  @ValueSource(strings = {"process-death", "power-cut"})
  void everythingIsThereAfterAStopAndAfterAKill(String durability) throws Exception {
    String longestKey = "😀".repeat(SizeLimits.DEFAULT_KEY_BYTES_MAX / 4);
    String longestValue = "v".repeat(SizeLimits.DEFAULT_VALUE_BYTES_MAX);
    try (ServerProcess server = serve(durability)) {
      for (String key : AWKWARD) {
        server.put(key, "value of " + key);
      }
      server.put("empty", "");
      assertDoesNotStart("in use");
      assertEquals(0, server.terminate().awaitExit(), server.err());
    }
    Map<String, Integer> acknowledged;
    try (ServerProcess server = serve(durability)) {
      assertTrue(server.out().contains("recovered 8 entries"), server.out());
      assertTrue(server.out().contains("the log was closed cleanly"), server.out());
      for (String key : AWKWARD) {
        assertEquals("value of " + key, server.get(key));
      }
      server.put(longestKey, longestValue);
      acknowledged = putUntilKilled(server);
    }
    assertTrue(acknowledged.size() > 0, "nothing was acknowledged before the kill");
    try (ServerProcess server = serve(durability)) {
      assertTrue(server.out().contains("the log was not closed"), server.out());
      assertEquals(longestValue, server.get(longestKey));
      for (var last : acknowledged.entrySet()) {
        String found = server.get(last.getKey());
        assertTrue(
            !found.isEmpty() && Integer.parseInt(found) >= last.getValue(),
            () -> last + " was acknowledged, found \"" + found + "\"");
      }
      assertEquals(0, server.terminate().awaitExit(), server.err());
    }
    damage();
    assertDoesNotStart("damaged");
  }

  // Each writer has keys of its own and writes growing numbers, so a later number than the
  // acknowledged one is a write that was under way.
  private static Map<String, Integer> putUntilKilled(ServerProcess server) throws Exception {
    Map<String, Integer> acknowledged = new ConcurrentHashMap<>();
    AtomicBoolean killed = new AtomicBoolean();
    List<Thread> writers = new ArrayList<>();
    for (int writer = 0; writer < 8; writer++) {
      String prefix = "w" + writer + "-";
      Thread thread = new Thread(() -> putGrowingNumbers(server, prefix, acknowledged, killed));
      thread.start();
      writers.add(thread);
    }
    try {
      while (acknowledged.values().stream().mapToInt(Integer::intValue).sum() < 500) {
        assertTrue(writers.stream().allMatch(Thread::isAlive), "a writer has failed");
        LockSupport.parkNanos(POLL_NANOS);
      }
    } finally {
      killed.set(true);
      server.kill().awaitExit();
      for (Thread writer : writers) {
        writer.join();
      }
    }
    return acknowledged;
  }

  private static void putGrowingNumbers(
      ServerProcess server,
      String prefix,
      Map<String, Integer> acknowledged,
      AtomicBoolean killed) {
    for (int number = 1; ; number++) {
      String key = prefix + number % 7;
      try {
        server.put(key, String.valueOf(number));
      } catch (Exception failure) {
        assertTrue(killed.get(), () -> "failed before the kill: " + failure);
        return;
      }
      acknowledged.put(key, number);
    }
  }

  @Test
  void aFileWhereTheFolderShouldBeEndsInOneLine() throws Exception {
    Files.writeString(folder.resolve("data"), "not a folder");
    assertDoesNotStart("");
  }

  private void assertDoesNotStart(String reason) throws Exception {
    String data = folder.resolve("data").toString();
    CommandRun run = CommandRun.of(Map.of("PORT", "0", "PENSIEVE_DATA_DIR", data));
    run.assertEndsInOneLine(data);
    run.assertEndsInOneLine(reason);
  }

  private void damage() throws Exception {
    for (Path file : files(folder.resolve("data"))) {
      byte[] bytes = Files.readAllBytes(file);
      for (int i = 0; i < bytes.length; i += 64) {
        bytes[i] ^= 0x10;
      }
      Files.write(file, bytes);
    }
  }

  private static List<Path> files(Path folder) throws Exception {
    try (var files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
