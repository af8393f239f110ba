package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.ConsensusStatus.Role;
import io.pensieve.replication.ratis.TestCluster.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members whose disks fill up. */
class DiskGuardTest {
  private static final long RESERVE = 1 << 20;

  private final Path folder;
  private final Map<String, Long> free = new ConcurrentHashMap<>();

  DiskGuardTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private TestCluster cluster() {
    return TestCluster.ofThree(
        folder,
        settings ->
            settings
                .reserveBytes(RESERVE)
                .freeSpace(() -> free.getOrDefault(settings.self(), RESERVE)));
  }

  /** Ratis leaves an empty file, where there is no room for a term. */
  @Test
  void aLeaderWithoutAnyRoomWritesNoTermMore() throws Exception {
    try (TestCluster cluster = cluster()) {
      cluster.put("one");
      String first = cluster.leaderId();
      Node full = cluster.node(first);
      String term = term(first);
      free.put(first, 0L);
      var unused = full.failure.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
      TestCluster.await("it to be outside", () -> full.status().role() == Role.OUTSIDE);
      cluster.stop(first);
      assertEquals(term, term(first));
      cluster.put("two");
      free.put(first, RESERVE);
      cluster.restart(first);
      cluster.awaitApplied(List.of("one", "two"));
    }
  }

  private String term(String id) throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve(id))) {
      Path file = files.filter(each -> each.endsWith("raft-meta")).findFirst().orElseThrow();
      return Files.readAllLines(file).stream()
          .filter(line -> line.startsWith("term="))
          .findFirst()
          .orElse("");
    }
  }

  @Test
  void aLeaderLeavesBeforeItsDiskIsFull() throws Exception {
    try (TestCluster cluster = cluster()) {
      cluster.put("one");
      String first = cluster.leaderId();
      Node full = cluster.node(first);
      free.put(first, RESERVE - 1);
      Throwable cause = full.failure.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
      assertTrue(String.valueOf(cause.getMessage()).contains("1 MiB"), cause::toString);
      TestCluster.await("it to be outside", () -> full.status().role() == Role.OUTSIDE);
      TestCluster.await("it to lead no more", () -> full.leadingTerm() == 0);

      cluster.stop(first);
      cluster.put("two");
      assertThrows(IOException.class, () -> cluster.restart(first));
      free.put(first, RESERVE);
      cluster.restart(first);
      cluster.awaitApplied(List.of("one", "two"));
    }
  }

  @Test
  void aGuardLooksUntilTheReserveIsTouched() throws Exception {
    CompletableFuture<Void> left = new CompletableFuture<>();
    AtomicInteger looks = new AtomicInteger();
    DiskGuard.FreeSpace space =
        () -> {
          int look = looks.incrementAndGet();
          if (look == 1) {
            throw new IOException("unknown");
          }
          return look == 3 ? 9 : 10;
        };
    try (DiskGuard guard = new DiskGuard(space, 10, () -> left.complete(null))) {
      guard.start();
      left.get(TestCluster.PATIENCE_SECONDS, TimeUnit.SECONDS);
      assertEquals(3, looks.get());
    }
  }
}
