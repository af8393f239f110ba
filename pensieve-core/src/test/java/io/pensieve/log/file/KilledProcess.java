package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjLongConsumer;

/**
 * A JVM that reports what was acknowledged to it, a line {@code name count .} each, until killed.
 */
final class KilledProcess {
  private KilledProcess() {}

  /** Whether it is to be killed now, by the number of lines read so far, the newest included. */
  interface Kill {
    boolean isDue(int line) throws IOException;
  }

  /** Runs it, kills it by SIGKILL when that is due, and tells all that it had reported by then. */
  static void run(
      Class<?> main, List<String> arguments, Kill kill, ObjLongConsumer<String> acknowledged)
      throws IOException, InterruptedException {
    run(main, List.of(), arguments, kill, acknowledged);
  }

  /** The same with other options of the JVM than the usual ones. */
  static void run(
      Class<?> main,
      List<String> options,
      List<String> arguments,
      Kill kill,
      ObjLongConsumer<String> acknowledged)
      throws IOException, InterruptedException {
    Process child = start(main, options, arguments);
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
      for (int line = 0; ; line++) {
        String acknowledgement = lines.readLine();
        if (kill.isDue(line)) {
          child.toHandle().destroyForcibly(); // the process's own would close the pipe
        }
        // What the child had reported before it died still comes through the pipe.
        if (acknowledgement == null || !acknowledgement.endsWith(".")) {
          break;
        }
        String[] words = acknowledgement.split(" ", -1);
        acknowledged.accept(words[0], Long.parseLong(words[1]));
      }
    } finally {
      child.destroyForcibly();
      assertTrue(child.waitFor(2, TimeUnit.MINUTES));
    }
  }

  static Process start(Class<?> main, List<String> arguments) throws IOException {
    return start(main, List.of(), arguments);
  }

  static Process start(Class<?> main, List<String> options, List<String> arguments)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "-Xmx64m"));
    command.addAll(options);
    command.addAll(
        List.of(
            "-cp",
            place("classes") + System.getProperty("path.separator") + place("test-classes"),
            main.getName()));
    command.addAll(arguments);
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  // The tests may run on the module path or as a patch of the module: ask the build's layout.
  static Path place(String classes) {
    Path place = Path.of("target", classes).toAbsolutePath();
    assertTrue(Files.isDirectory(place), place.toString());
    return place;
  }
}
