package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * What a command of the program has printed, and the status with which it has ended. It runs in the
 * process of the test, which is quicker than one of its own by a second; for commands that end by
 * themselves.
 */
record CommandRun(int status, String out, String err) {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  static CommandRun of(Map<String, String> environment, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    // Else it may say how few files the process of the test may have open.
    Map<String, String> all = new HashMap<>(Map.of("PENSIEVE_CONNECTIONS_MAX", "100"));
    all.putAll(environment);
    Main main = new Main(all, printing(out), printing(err));
    int status = assertTimeoutPreemptively(PATIENCE, () -> main.run(args), "it does not end");
    return new CommandRun(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static PrintStream printing(ByteArrayOutputStream printed) {
    return new PrintStream(printed, true, StandardCharsets.UTF_8);
  }

  /** It could not start, and has said so in one line with this part. */
  void assertEndsInOneLine(String part) {
    assertEquals(2, status, err);
    assertEquals(1, err.lines().count(), err);
    assertTrue(err.startsWith("pensieve-server: "), err);
    assertTrue(err.contains(part), err);
  }
}
