package io.pensieve.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.SYNC;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The launcher, installed as in an image: {@code bin/pensieve} and {@code lib}. */
@Timeout(300)
class LauncherTest {
  private static final Path SERVER =
      Path.of(System.getProperty("pensieve.root"), "pensieve-server");

  private final Path installed;
  private Path launcher = Path.of("");

  LauncherTest(@TempDir Path installed) {
    this.installed = installed;
  }

  @BeforeEach
  void install() throws IOException {
    Files.createDirectories(installed.resolve("lib"));
    Files.createDirectories(installed.resolve("bin"));
    Files.copy(
        SERVER.resolve("target/pensieve-server.jar"), installed.resolve("lib/pensieve-server.jar"));
    Files.copy(SERVER.resolve("bin/pensieve"), installed.resolve("bin/pensieve"));
    assertTrue(installed.resolve("bin/pensieve").toFile().setExecutable(true));
    launcher = Files.createSymbolicLink(installed.resolve("pensieve"), Path.of("bin/pensieve"));
  }

  private ProcessBuilder command(Map<String, String> environment, String... arguments) {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(installed.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("PENSIEVE_"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    return builder.redirectErrorStream(true);
  }

  private String run(int code, Map<String, String> environment, String... arguments)
      throws Exception {
    Process process = command(environment, arguments).start();
    String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(code, process.waitFor(), printed);
    return printed;
  }

  @Test
  void itPreparesStartsAndAsksAServer() throws Exception {
    assertTrue(run(0, Map.of(), "prepare").startsWith("made "));
    assertEquals("", run(0, Map.of(), "prepare"), "it is there already");
    try (Stream<Path> files = Files.list(installed.resolve("lib"))) {
      assertEquals(1, files.filter(file -> file.toString().endsWith(".jsa")).count());
    }
    Path out = installed.resolve("out");
    Process server =
        command(
                Map.of("PENSIEVE_HEAP", "96m", "PENSIEVE_DATA_DIR", "data", "PENSIEVE_PORT", "0"),
                "--durability",
                "process-death")
            .redirectOutput(out.toFile())
            .start();
    try {
      String url = "";
      while (url.isEmpty()) {
        assertTrue(server.isAlive(), () -> read(out));
        url = line(out, "listening on ");
        LockSupport.parkNanos(10_000_000);
      }
      Map<String, String> environment = Map.of("PENSIEVE_URL", url);
      assertEquals("", run(0, environment, "put", "a key", "a value; $HOME"));
      assertEquals("a value; $HOME", run(0, environment, "get", "a key"));
      String top = run(0, environment, "top", "--once");
      // The serial collector's heap is a little less than asked for.
      assertTrue(top.contains(" of 9") && top.contains(" MiB"), top);
      assertTrue(read(out).contains("(environment PENSIEVE_DATA_DIR)"), () -> read(out));
    } finally {
      server.destroy(); // SIGTERM goes to Java: the script has become it
      assertTrue(server.waitFor(2, TimeUnit.MINUTES));
    }
    assertEquals(0, server.exitValue());
    assertTrue(read(out).endsWith("stopped\n"), () -> read(out));
  }

  private static String line(Path file, String prefix) {
    return read(file)
        .lines()
        .filter(line -> line.startsWith(prefix))
        .map(line -> line.substring(prefix.length()))
        .findFirst()
        .orElse("");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException notThere) {
      return "";
    }
  }

  /** A heap that had to grow while the log is read would be collected whole each time. */
  @Test
  void theHeapBeginsAsLargeAsTheEntriesOfTheFolderNeed() throws Exception {
    Path java = Files.createDirectories(installed.resolve("fake/bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\necho \"$@\"\n");
    assertTrue(java.toFile().setExecutable(true));
    String home = installed.resolve("fake").toString();
    assertEquals(40, firstHeap(Map.of("JAVA_HOME", home)));
    byte[] stored = new byte[30 << 20];
    new Random(4711).nextBytes(stored); // else a disk might compress them
    Path folder = Files.createDirectories(installed.resolve("full"));
    Files.write(folder.resolve("segment"), stored, CREATE_NEW, WRITE, SYNC);
    Map<String, String> environment = Map.of("JAVA_HOME", home, "PENSIEVE_HEAP", "200m");
    int enough = firstHeap(environment, "--port", "0", "--data-dir", "full");
    assertTrue(enough > 70 && enough < 150, "" + enough);
    assertEquals(enough, firstHeap(environment, "--data-dir=full"));
    Map<String, String> small =
        Map.of("JAVA_HOME", home, "PENSIEVE_HEAP", "64m", "PENSIEVE_DATA_DIR", "full");
    assertEquals(64, firstHeap(small));
  }

  /** A small heap needs all of it for entries, and G1 chooses for itself. */
  @Test
  void newObjectsHaveTwentyFourMebibytesOfAHeapThatIsNotSmall() throws Exception {
    Path java = Files.createDirectories(installed.resolve("fake/bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\necho \"$@\"\n");
    assertTrue(java.toFile().setExecutable(true));
    String home = installed.resolve("fake").toString();
    for (String heap : new String[] {"96m", "2g"}) {
      String flags = run(0, Map.of("JAVA_HOME", home, "PENSIEVE_HEAP", heap));
      assertTrue(flags.contains(" -XX:NewSize=24m -XX:+UseSerialGC "), flags);
    }
    for (String heap : new String[] {"95m", "3g"}) {
      String flags = run(0, Map.of("JAVA_HOME", home, "PENSIEVE_HEAP", heap));
      assertFalse(flags.contains("NewSize"), flags);
    }
  }

  private int firstHeap(Map<String, String> environment, String... arguments) throws Exception {
    String flags = run(0, environment, arguments);
    Matcher first = Pattern.compile(" -Xms(\\d+)m ").matcher(flags);
    assertTrue(first.find(), flags);
    return Integer.parseInt(first.group(1));
  }

  @Test
  void whatIsWrongIsSaidInOneLine() throws Exception {
    for (String heap : new String[] {"1", "x", "512mb", "-1m", "m", "1.5g", "1g 2g"}) {
      String said = run(2, Map.of("PENSIEVE_HEAP", heap));
      assertTrue(said.startsWith("pensieve: PENSIEVE_HEAP: expected"), said);
      assertEquals(1, said.lines().count(), said);
    }
    assertTrue(run(2, Map.of("PENSIEVE_JAR", "none.jar")).startsWith("pensieve: there is no"));
    Files.delete(installed.resolve("lib/pensieve-server.jar"));
    assertTrue(run(2, Map.of(), "--help").contains("set PENSIEVE_JAR"));
    assertTrue(
        run(2, Map.of("JAVA_HOME", "/none", "PENSIEVE_JAR", launcher.toString()))
            .contains("no Java"));
    assertFalse(Files.exists(installed.resolve("data")));
  }
}
