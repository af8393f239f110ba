package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.ratis.TestCluster.Node;
import io.pensieve.testing.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** A member alone: why it does not start, in one line, and that nothing of it stays. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StartFailureTest {
  private static final List<String> ENTRIES = List.of("one", "two", "three");

  private final Thread[] before = threads().toArray(Thread[]::new);
  private final Path folder;
  private final TestCluster written;
  private final Member member;

  /** What was written, in a folder of its own for each test. */
  private TestCluster cluster;

  StartFailureTest(@TempDir Path folder) throws Exception {
    this.folder = folder;
    member = TestCluster.newMember("a");
    written = new TestCluster(folder.resolve("written"));
    written.members.add(member);
    written.startAll();
    for (String entry : ENTRIES) {
      written.put(entry);
    }
    written.stopAll();
    cluster = written;
  }

  @BeforeEach
  void copy(TestInfo test) throws IOException {
    cluster = new TestCluster(folder.resolve(test.getDisplayName()));
    cluster.id = written.id;
    cluster.members.add(member);
    try (Stream<Path> files = Files.walk(written.folder)) {
      for (Path file : files.toList()) {
        Files.copy(file, cluster.folder.resolve(written.folder.relativize(file).toString()));
      }
    }
  }

  @AfterEach
  void noThreadStays() throws InterruptedException {
    cluster.close();
    Set<Thread> known = Set.of(before);
    for (Thread thread : threads()) {
      if (!known.contains(thread) && !isShared(thread)) {
        thread.join(TimeUnit.SECONDS.toMillis(TestCluster.PATIENCE_SECONDS));
        assertFalse(thread.isAlive(), thread.getName());
      }
    }
  }

  private static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(Thread::isAlive)
        .collect(Collectors.toSet());
  }

  /**
   * Ratis has eight timers for the whole process; they are daemons. The JVM has some of its own.
   */
  private static boolean isShared(Thread thread) {
    ThreadGroup group = thread.getThreadGroup();
    return thread.getName().matches("timer\\d+|grpc-shared-destroyer-\\d+|grpc-default-boss-.*")
        || group == null
        || group.getName().equals("system")
        || group.getName().equals("InnocuousThreadGroup");
  }

  private String failure() {
    IOException failed = assertThrows(IOException.class, () -> cluster.restart("a"));
    return String.valueOf(failed.getMessage());
  }

  private static void assertContains(String part, String message) {
    assertTrue(message.contains(part), message);
  }

  @Test
  void theWholeMemberEnds() throws Exception {
    cluster.startAll();
    cluster.put("four");
  }

  @Test
  void aTakenPortIsNamed() throws Exception {
    try (ServerSocket other = new ServerSocket()) {
      other.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), member.port()));
      assertContains("Raft port " + member.port(), failure());
    }
    cluster.startAll();
    cluster.put("four");
  }

  @Test
  void aFolderInUseIsNotTakenForDamaged() throws Exception {
    cluster.startAll();
    Node first = cluster.leader();
    RatisConsensus second =
        RatisConsensus.at(cluster.folderOf("a"), cluster.id, "a")
            .bind("127.0.0.1", Ports.take())
            .build();
    IOException failed = assertThrows(IOException.class, () -> second.start(new Node(second)));
    assertContains("in use", String.valueOf(failed.getMessage()));
    second.close();
    first.put("still here");
  }

  @Test
  void aTornEndIsNoDamage() throws Exception {
    Path log = newest("log_");
    try (FileChannel file = FileChannel.open(log, StandardOpenOption.WRITE)) {
      file.truncate(positionOf("three", log) + 2);
    }
    Node node = cluster.restart("a");
    TestCluster.await("the member to lead", () -> node.leadingTerm() > 0);
    assertEquals(List.of("one", "two"), node.applied());
  }

  @Test
  void aFlippedBitIsRefusedWithItsFile() throws Exception {
    Path log = newest("log_");
    flip(log, positionOf("two", log));
    String message = failure();
    assertContains(cluster.id.toString(), message);
    assertContains("pensieve-server cluster replace a", message);
  }

  @Test
  void aMissingVoteIsRefused() throws Exception {
    Files.delete(newest("log_").resolveSibling("raft-meta"));
    assertContains("pensieve-server cluster replace a", failure());
  }

  @Test
  void aMissingLogIsNotTakenForANewMember() throws Exception {
    TestCluster.delete(cluster.folderOf("a").resolve("raft").resolve(cluster.id.toString()));
    assertContains("pensieve-server cluster replace a", failure());
  }

  private Path newest(String prefix) throws IOException {
    Path current =
        cluster.folderOf("a").resolve("raft").resolve(cluster.id.toString()).resolve("current");
    try (Stream<Path> files = Files.list(current)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(prefix))
          .max(Path::compareTo)
          .orElseThrow();
    }
  }

  private static long positionOf(String entry, Path log) throws IOException {
    return Files.readString(log, StandardCharsets.ISO_8859_1).indexOf(entry);
  }

  private static void flip(Path log, long at) throws IOException {
    try (FileChannel file =
        FileChannel.open(log, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      file.read(one, at);
      one.put(0, (byte) (one.get(0) ^ 4)).rewind();
      file.write(one, at);
    }
  }
}
