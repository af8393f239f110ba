package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A main class running in a JVM of its own; killed at the latest when closed. */
final class JavaProgram implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 120;

  private final Process process;
  private final BufferedReader output;

  private JavaProgram(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  static JavaProgram start(Class<?> main, Path workingFolder, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
    command.addAll(List.of("-ea", "-XX:TieredStopAtLevel=1", "-cp"));
    command.add(System.getProperty("java.class.path", ""));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return new JavaProgram(
        new ProcessBuilder(command)
            .directory(workingFolder.toFile())
            .redirectErrorStream(true)
            .start());
  }

  /** Reads on until the program says this. */
  void awaitLine(String expected) throws IOException {
    List<String> said = new ArrayList<>();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      said.add(line);
      if (line.contains(expected)) {
        return;
      }
    }
    throw new AssertionError("ended without saying \"" + expected + "\", but: " + said);
  }

  /** All that the program still says, when it has ended. */
  List<String> remainingLines() throws IOException, InterruptedException {
    List<String> lines = output.lines().toList();
    assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "ends after its last line");
    return lines;
  }

  int exitCode() {
    return process.exitValue();
  }

  /** Kills it as {@code kill -9} does: when this returns, nothing of it runs any more. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  @Override
  public void close() {
    kill();
  }
}
