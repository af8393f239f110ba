package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.ReplayHandler;
import io.pensieve.testing.Depth;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real processes, killed by SIGKILL in the midst of their appends. */
@Tag(Depth.TAG)
class KillTest {
  private static final int KILLS = Depth.of(2, 12, 120); // and CompactionKillTest's
  private static final int WRITERS = 4;
  private static final int ACKNOWLEDGEMENTS_BEFORE_KILL = 30;

  private final Path folder;

  KillTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @ParameterizedTest
  @EnumSource
  void whatAKilledProcessAcknowledgedIsThere(Durability durability) throws Exception {
    Map<String, Long> acknowledged = new HashMap<>();
    for (int kill = 0; kill < KILLS; kill++) {
      runAndKill(durability, kill, acknowledged);
      Map<String, Long> found = replayed(durability);
      acknowledged.forEach(
          (writer, count) -> {
            long last = found.getOrDefault(writer, -1L);
            assertTrue(last >= count, () -> writer + " acknowledged " + count + ", found " + last);
          });
    }
    long runs =
        acknowledged.keySet().stream().map(name -> name.split("-", 2)[0]).distinct().count();
    assertEquals(KILLS, runs, "each of them acknowledged something");
  }

  private void runAndKill(Durability durability, int kill, Map<String, Long> acknowledged)
      throws IOException, InterruptedException {
    KilledProcess.run(
        Child.class,
        List.of(folder.toString(), durability.name(), "run" + kill),
        line -> line == ACKNOWLEDGEMENTS_BEFORE_KILL + 40 * (kill % 12),
        acknowledged::put);
  }

  private Map<String, Long> replayed(Durability durability) {
    Map<String, Long> found = new HashMap<>();
    FileLog<String, Long> log =
        FileLog.at(folder, Codec.utf8(), Codec.int64()).durability(durability);
    try {
      log.replay(
          new ReplayHandler<>() {
            @Override
            public void change(long sequence, Change<String, Long> change) {
              if (change instanceof Change.Put<String, Long> put) {
                Long before = found.put(put.key(), put.value());
                assertEquals(put.value(), before == null ? 0 : before + 1, "no change is missing");
              }
            }

            @Override
            public void entry(Change.Put<String, Long> put, long version, long stamp) {}

            @Override
            public void progress(long bytesRead, long bytesTotal) {}
          });
    } finally {
      log.close();
    }
    return found;
  }

  /** The process that is killed: each of its writers counts, and reports what is acknowledged. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) {
      FileLog<String, Long> log =
          FileLog.at(Path.of(args[0]), Codec.utf8(), Codec.int64())
              .durability(Durability.valueOf(args[1]));
      log.replay(new NoOpReplayHandler());
      for (int writer = 0; writer < WRITERS; writer++) {
        String name = args[2] + "-" + writer;
        new Thread(() -> write(log, name)).start();
      }
    }

    private static void write(FileLog<String, Long> log, String name) {
      for (long count = 0; ; count++) {
        long sequence = log.append(new Change.Put<>(name, count));
        if (count % 8 == 0) {
          log.awaitDurable(sequence);
          System.out.println(name + " " + count + " .");
        }
      }
    }
  }

  private static final class NoOpReplayHandler implements ReplayHandler<String, Long> {
    @Override
    public void change(long sequence, Change<String, Long> change) {}

    @Override
    public void entry(Change.Put<String, Long> put, long version, long stamp) {}

    @Override
    public void progress(long bytesRead, long bytesTotal) {}
  }
}
