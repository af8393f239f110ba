package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real processes, killed by SIGKILL in the midst of their appends. */
class KillTest {
  private static final int KILLS = 6;
  private static final int WRITERS = 4;
  private static final int ACKNOWLEDGEMENTS_BEFORE_KILL = 400;

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
    assertEquals(KILLS * WRITERS, acknowledged.size());
  }

  private void runAndKill(Durability durability, int kill, Map<String, Long> acknowledged)
      throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath(),
                Child.class.getName(),
                folder.toString(),
                durability.name(),
                "run" + kill)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
      for (int line = 0; ; line++) {
        String acknowledgement = lines.readLine();
        if (line == ACKNOWLEDGEMENTS_BEFORE_KILL + 50 * kill) {
          child.toHandle().destroyForcibly(); // the process's own would close the pipe
        }
        // What the child had reported before it died still comes through the pipe.
        if (acknowledgement == null || !acknowledgement.endsWith(".")) {
          break;
        }
        String[] words = acknowledgement.split(" ", -1);
        acknowledged.put(words[0], Long.parseLong(words[1]));
      }
    } finally {
      child.destroyForcibly();
      assertTrue(child.waitFor(30, TimeUnit.SECONDS));
    }
  }

  private static String classPath() throws IOException {
    return String.join(
        System.getProperty("path.separator"),
        List.of(place(FileLog.class).toString(), place(KillTest.class).toString()));
  }

  // The tests may run on the module path or as a patch of the module: ask the build's layout.
  private static Path place(Class<?> type) throws IOException {
    Path target = Path.of("target").toAbsolutePath();
    Path classes = target.resolve(type == KillTest.class ? "test-classes" : "classes");
    assertTrue(Files.isDirectory(classes), classes.toString());
    return classes;
  }

  private Map<String, Long> replayed(Durability durability) {
    Map<String, Long> found = new HashMap<>();
    FileLog<String, Long> log = FileLog.open(folder, Codec.utf8(), Codec.int64(), durability);
    try {
      log.replay(
          new Replay<>() {
            @Override
            public void change(long sequence, Change<String, Long> change) {
              if (change instanceof Change.Put<String, Long> put) {
                Long before = found.put(put.key(), put.value());
                assertEquals(put.value(), before == null ? 0 : before + 1, "no change is missing");
              }
            }

            @Override
            public void entry(String key, Long value, long version, long stamp) {}

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
          FileLog.open(Path.of(args[0]), Codec.utf8(), Codec.int64(), Durability.valueOf(args[1]));
      log.replay(new Nobody());
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

  private static final class Nobody implements Replay<String, Long> {
    @Override
    public void change(long sequence, Change<String, Long> change) {}

    @Override
    public void entry(String key, Long value, long version, long stamp) {}

    @Override
    public void progress(long bytesRead, long bytesTotal) {}
  }
}
