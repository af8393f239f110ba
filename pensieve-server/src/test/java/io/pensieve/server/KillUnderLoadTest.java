package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A kill under puts, deletes, increments and atomic batches from many clients. */
@Tag(Depth.TAG)
final class KillUnderLoadTest {
  private static final int WRITERS = 8;
  private static final int BATCH_WRITERS = 4;
  private static final int WRITES_BEFORE_KILL = Depth.of(200, 400, 600);
  private static final int KILLS = 2;
  private static final long POLL_NANOS = 1_000_000;
  private static final long SEED = Seed.choose();

  private final Path folder;
  private final Path prints;

  KillUnderLoadTest(@TempDir Path folder, @TempDir Path prints) {
    this.folder = folder;
    this.prints = prints;
  }

  private ServerProcess serve(String durability) throws Exception {
    return ServerProcess.serve(prints, "--data-dir", folder.toString(), "--durability", durability);
  }

  @ParameterizedTest
  @ValueSource(strings = {"process-death", "power-cut"})
  void whatWasAcknowledgedIsThereAfterEachKill(String durability) throws Exception {
    List<KillClient> writers = new ArrayList<>();
    for (int kill = 0; kill < KILLS; kill++) {
      try (ServerProcess server = serve(durability)) {
        for (KillClient writer : writers) {
          writer.assertFoundAgain(server.port());
        }
        writers.addAll(writeUntilKilled(server, kill));
      }
    }
    try (ServerProcess server = serve(durability)) {
      assertTrue(server.out().contains("the log was not closed"), server.out());
      for (KillClient writer : writers) {
        writer.assertFoundAgain(server.port());
      }
    }
  }

  private List<KillClient> writeUntilKilled(ServerProcess server, int kill) throws Exception {
    KillClient.Progress progress =
        new KillClient.Progress(new AtomicInteger(), new AtomicBoolean());
    List<KillClient> writers = new ArrayList<>();
    for (int id = 0; id < WRITERS; id++) {
      Random random = new Random(SEED + (long) kill * WRITERS + id);
      String name = "k" + kill + "-w" + id;
      writers.add(new KillWriteClient(server.port(), name, random, progress));
    }
    KillBatchClient.Counter counter = new KillBatchClient.Counter("k" + kill + "-counter");
    for (int id = 0; id < BATCH_WRITERS; id++) {
      Random random = new Random(SEED - 1 - (long) kill * BATCH_WRITERS - id);
      String name = "k" + kill + "-b" + id;
      writers.add(new KillBatchClient(server.port(), name, random, counter, progress));
    }
    ExecutorService threads = Executors.newFixedThreadPool(writers.size());
    List<Future<Void>> running = new ArrayList<>();
    writers.forEach(writer -> running.add(threads.submit(writer)));
    while (progress.acknowledged().get() < WRITES_BEFORE_KILL
        && running.stream().noneMatch(Future::isDone)) {
      LockSupport.parkNanos(POLL_NANOS);
    }
    progress.killed().set(true);
    server.kill().awaitExit();
    threads.shutdown();
    for (Future<Void> each : running) {
      each.get();
    }
    return writers;
  }
}
