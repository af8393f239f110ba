package io.pensieve.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.metrics.AccessLog.CompletedRequest;
import io.pensieve.server.http.metrics.Alarms;
import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** The lines of the access log. */
class AccessLogWriterTest {
  private final List<String> told = new CopyOnWriteArrayList<>();
  private final Alarms alarms = new Alarms(told::add);

  @Test
  void anAnswerIsALineOfJson() {
    StringWriter written = new StringWriter();
    try (AccessLogWriter lines = new AccessLogWriter(() -> written, alarms, 1).start()) {
      lines.completed(answer(200));
    }
    assertEquals(
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"method\":\"GET\",\"route\":\"/get/{key}\","
            + "\"status\":200,\"bytes\":13,\"micros\":42,\"remote\":\"127.0.0.1\"}\n",
        written.toString());
  }

  @Test
  void everyAnswerIsALineOrCountedAsLeftOut() {
    StringWriter written = new StringWriter();
    AccessLogWriter lines = new AccessLogWriter(() -> written, alarms, 1);
    for (int i = 0; i < 10_000; i++) {
      lines.completed(answer(200));
    }
    lines.start().close();
    List<String> all = written.toString().lines().toList();
    List<String> leftOut = all.stream().filter(line -> line.contains("left_out")).toList();
    assertEquals(List.of("{\"left_out\":" + (10_000 - (all.size() - 1)) + "}"), leftOut);
  }

  @Test
  void aLogThatCannotBeWrittenIsToldWhenThatBeginsAndEndsAndIsWrittenAgain() throws Exception {
    FullDiskWriter fullDiskWriter = new FullDiskWriter();
    AccessLogWriter lines = new AccessLogWriter(() -> fullDiskWriter, alarms, 1);
    try (AccessLogWriter started = lines.start()) {
      started.completed(answer(200));
      awaitPrinted(1);
      fullDiskWriter.isFull = false;
      awaitPrinted(2);
      started.completed(answer(201));
    }
    assertTrue(told.get(0).contains("alarm access_log_failed: no room"), told.get(0));
    assertTrue(told.get(1).contains("alarm access_log_failed: over after "), told.get(1));
    assertEquals(2, told.size());
    String written = fullDiskWriter.text.toString();
    assertTrue(written.contains("{\"left_out\":1}"), written);
    assertTrue(written.contains("\"status\":201"), written);
    assertFalse(written.contains("\"status\":200"), written);
  }

  @Test
  void everyLineIsThereOrCountedWhileTheDiskFailsNowAndThen() throws Exception {
    FullDiskWriter fullDiskWriter = new FullDiskWriter();
    AccessLogWriter lines = new AccessLogWriter(() -> fullDiskWriter, alarms, 1).start();
    int answers = 5_000;
    for (int i = 0; i < answers; i++) {
      fullDiskWriter.isFull = i % 700 > 350;
      lines.completed(answer(200));
    }
    fullDiskWriter.isFull = false;
    awaitTold(fullDiskWriter, answers);
    lines.close();
    assertTrue(told(fullDiskWriter) >= answers, () -> told(fullDiskWriter) + " of " + answers);
  }

  @Test
  void theLineThatTheDiskDoesNotTakeIsCountedLikeThoseBeforeIt() {
    FullDiskWriter fullDiskWriter = new FullDiskWriter();
    AccessLogWriter lines = new AccessLogWriter(() -> fullDiskWriter, alarms, 1);
    int answers = 200; // more than a buffer holds, so a write fails in the middle of a line
    for (int i = 0; i < answers; i++) {
      lines.completed(answer(200));
    }
    fullDiskWriter.isFull = false;
    fullDiskWriter.failures = 2; // of that write, and of the attempt to close
    lines.start();
    awaitTold(fullDiskWriter, answers);
    lines.close();
    assertTrue(told(fullDiskWriter) >= answers, () -> told(fullDiskWriter) + " of " + answers);
  }

  private static void awaitTold(FullDiskWriter fullDiskWriter, int answers) {
    long deadlineNanos = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (told(fullDiskWriter) < answers && System.nanoTime() < deadlineNanos) {
      LockSupport.parkNanos(5_000_000);
    }
  }

  private static long told(FullDiskWriter fullDiskWriter) {
    return fullDiskWriter
        .text
        .toString()
        .lines()
        .filter(line -> !line.isEmpty())
        .mapToLong(
            line ->
                line.startsWith("{\"left_out\":") && line.endsWith("}")
                    ? Long.parseLong(line.replaceAll("[^0-9]", ""))
                    : 1)
        .sum();
  }

  @Test
  void aFileThatWasMovedAwayIsOpenedAgain() {
    List<StringWriter> files = new CopyOnWriteArrayList<>();
    AccessLogWriter.Target target =
        () -> {
          files.add(new StringWriter());
          return files.get(files.size() - 1);
        };
    AccessLogWriter lines = new AccessLogWriter(target, alarms, 1);
    lines.completed(answer(200));
    lines.start();
    while (files.isEmpty() || files.get(0).toString().isEmpty()) {
      Thread.onSpinWait();
    }
    lines.reopen();
    lines.completed(answer(201));
    lines.close();
    assertEquals(2, files.size());
    assertTrue(files.get(1).toString().contains("\"status\":201"));
  }

  @Test
  void whatCannotBeWrittenHoldsNobodyUp() {
    CountDownLatch never = new CountDownLatch(1);
    AccessLogWriter lines =
        new AccessLogWriter(
            () -> {
              try {
                never.await();
              } catch (InterruptedException ended) {
                throw new IOException(ended);
              }
              return new StringWriter();
            },
            alarms,
            1);
    lines.start();
    for (int i = 0; i < 10_000; i++) {
      lines.completed(answer(200));
    }
    lines.close(); // returns
    never.countDown();
  }

  private void awaitPrinted(int lines) {
    long deadlineNanos = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (told.size() < lines) {
      assertTrue(System.nanoTime() < deadlineNanos, () -> "only " + told);
      Thread.onSpinWait();
    }
  }

  private static CompletedRequest answer(int status) {
    return new CompletedRequest(
        Instant.parse("2026-01-02T03:04:05.678Z"),
        "GET",
        "/get/{key}",
        status,
        13,
        42_900,
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 1));
  }

  /** Takes nothing while it is full. */
  private static final class FullDiskWriter extends Writer {
    @SuppressWarnings("JdkObsolete") // written by one thread, read by another
    final StringBuffer text = new StringBuffer();

    volatile boolean isFull = true;
    volatile int failures;

    @Override
    public void write(char[] chars, int offset, int length) throws IOException {
      if (isFull || failures > 0) {
        failures = Math.max(0, failures - 1); // by the one thread that writes
        throw new IOException("no room");
      }
      text.append(chars, offset, length);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
