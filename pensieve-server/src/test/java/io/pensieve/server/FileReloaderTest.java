package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Files are read again when they have changed, and what cannot be used is told once. */
final class FileReloaderTest {
  private static final Duration PERIOD = Duration.ofMillis(5);
  private static final long POLL_NANOS = 1_000_000;

  private final BlockingQueue<String> used = new LinkedBlockingQueue<>();
  private final ByteArrayOutputStream told = new ByteArrayOutputStream();
  private final FileReloader fileReloader = new FileReloader(PERIOD, new PrintStream(told, true));
  private final Path one;
  private final Path two;

  FileReloaderTest(@TempDir Path folder) {
    one = folder.resolve("one");
    two = folder.resolve("two");
  }

  @BeforeEach
  void writeBoth() throws Exception {
    write(one, "1");
    write(two, "2");
  }

  @AfterEach
  void closeTwice() {
    fileReloader.close();
    fileReloader.close();
    await(() -> !reloads(), () -> "its thread goes on");
  }

  private static boolean reloads() {
    return Thread.getAllStackTraces().keySet().stream()
        .anyMatch(thread -> thread.getName().equals("pensieve-reload"));
  }

  private static void await(BooleanSupplier condition, Supplier<String> otherwise) {
    long deadlineNanos = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadlineNanos, otherwise);
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private void use(List<byte[]> contents) {
    StringBuilder text = new StringBuilder();
    contents.forEach(content -> text.append(new String(content, StandardCharsets.UTF_8)));
    if (text.indexOf("bad") >= 0) {
      throw new IllegalArgumentException("line 1: this is of no use");
    }
    used.add(text.toString());
  }

  private void startOnBoth() throws Exception {
    fileReloader.use("letters", List.of(one, two), this::use);
    assertUsed("12");
    fileReloader.start();
  }

  @Test
  void theyAreReadAtOnceAndAgainWhenOneHasChanged() throws Exception {
    startOnBoth();
    write(two, "3");
    assertUsed("13");
    write(one, "4");
    assertUsed("43");
    awaitPrinted(2, "read again");
  }

  @Test
  void whatIsOfNoUseIsToldOnceAndWhatFollowsIsUsed() throws Exception {
    startOnBoth();
    write(one, "bad");
    awaitPrinted(1, "line 1: this is of no use; what was read before stays in use");
    write(one, "1"); // before the other one: "bad" and "3" would be told as something new
    assertUsed("12");
    write(two, "3");
    assertUsed("13");
    assertEquals(1, occurrences("no use"));
    assertEquals(List.of(), List.copyOf(used));
  }

  @Test
  void aFileThatIsGoneIsToldOnceAndUsedWhenItIsBack() throws Exception {
    startOnBoth();
    Files.delete(one);
    awaitPrinted(1, "is not there; what was read before stays in use");
    write(two, "3");
    write(one, "4");
    assertUsed("43");
    assertEquals(1, occurrences("is not there"));
  }

  @Test
  void aFileThatIsTooLongIsNotUsed() throws Exception {
    startOnBoth();
    write(one, "1".repeat((1 << 20) + 1));
    awaitPrinted(1, "longer than 1048576 bytes");
    write(one, "5");
    assertUsed("52");
  }

  @Test
  void whatCannotBeUsedAtTheStartIsNoStart() throws Exception {
    write(one, "bad");
    StartupException refused =
        assertThrows(
            StartupException.class, () -> fileReloader.use("letters", List.of(one), this::use));
    assertEquals("letters [" + one + "]: line 1: this is of no use", refused.getMessage());
    assertThrows(
        StartupException.class,
        () -> fileReloader.use("letters", List.of(one.resolveSibling("gone")), this::use));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aPipeIsReadOnceAndHoldsNobodyUp() throws Exception {
    startOnBoth();
    Files.delete(one);
    makePipe(one);
    awaitPrinted(1, "is no regular file; what was read before stays in use");
    Path three = makePipe(one.resolveSibling("three"));
    Thread writer = new Thread(() -> writeUnchecked(three, "piped"));
    writer.start();
    fileReloader.use("pipe", List.of(three), this::use);
    writer.join();
    assertUsed("piped");
    awaitPrinted(1, "no regular file, so it is not read again");
  } // and its end is seen after each test

  private static Path makePipe(Path path) throws Exception {
    assertEquals(0, new ProcessBuilder("mkfifo", path.toString()).start().waitFor());
    return path;
  }

  private static void writeUnchecked(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  @Test
  void whoAsksForItIsNotMadeToWait() throws Exception {
    try (FileReloader seldom = new FileReloader(Duration.ofHours(1), new PrintStream(told, true))) {
      seldom.use("letters", List.of(one, two), this::use);
      assertUsed("12");
      seldom.start();
      write(two, "3");
      seldom.lookNow();
      assertUsed("13");
    }
  }

  private void assertUsed(String text) throws InterruptedException {
    assertEquals(text, used.poll(2, TimeUnit.MINUTES));
  }

  private void awaitPrinted(int times, String part) {
    await(() -> occurrences(part) >= times, () -> part + " is not in: " + told);
  }

  private int occurrences(String part) {
    return told.toString(StandardCharsets.UTF_8).split(part, -1).length - 1;
  }

  /** In one step, so that the contents in between are not seen. */
  private static void write(Path file, String text) throws IOException {
    Path fresh = Files.writeString(file.resolveSibling("fresh"), text);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
