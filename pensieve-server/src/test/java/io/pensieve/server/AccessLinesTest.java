package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.AccessLog.Answered;
import io.pensieve.server.http.Alarms;
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
class AccessLinesTest {
  private final List<String> told = new CopyOnWriteArrayList<>();
  private final Alarms alarms = new Alarms(told::add);

  @Test
  void anAnswerIsALineOfJson() {
    StringWriter written = new StringWriter();
    try (AccessLines lines = new AccessLines(() -> written, alarms, 1).start()) {
      lines.answered(answer(200));
    }
    assertEquals(
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"method\":\"GET\",\"route\":\"/get/{key}\","
            + "\"status\":200,\"bytes\":13,\"micros\":42,\"remote\":\"127.0.0.1\"}\n",
        written.toString());
  }

  @Test
  void everyAnswerIsALineOrCountedAsLeftOut() {
    StringWriter written = new StringWriter();
    AccessLines lines = new AccessLines(() -> written, alarms, 1);
    for (int i = 0; i < 10_000; i++) {
      lines.answered(answer(200));
    }
    lines.start().close();
    List<String> all = written.toString().lines().toList();
    List<String> leftOut = all.stream().filter(line -> line.contains("left_out")).toList();
    assertEquals(List.of("{\"left_out\":" + (10_000 - (all.size() - 1)) + "}"), leftOut);
  }

  @Test
  void aLogThatCannotBeWrittenIsToldWhenThatBeginsAndEndsAndIsWrittenAgain() throws Exception {
    Disk disk = new Disk();
    AccessLines lines = new AccessLines(() -> disk, alarms, 1);
    try (AccessLines started = lines.start()) {
      started.answered(answer(200));
      awaitTold(1);
      disk.isFull = false;
      awaitTold(2);
      started.answered(answer(201));
    }
    assertTrue(told.get(0).contains("alarm access_log_failed: no room"), told.get(0));
    assertTrue(told.get(1).contains("alarm access_log_failed: over after "), told.get(1));
    assertEquals(2, told.size());
    String written = disk.text.toString();
    assertTrue(written.contains("{\"left_out\":1}"), written);
    assertTrue(written.contains("\"status\":201"), written);
    assertFalse(written.contains("\"status\":200"), written);
  }

  @Test
  void everyLineIsThereOrCountedWhileTheDiskFailsNowAndThen() throws Exception {
    Disk disk = new Disk();
    AccessLines lines = new AccessLines(() -> disk, alarms, 1).start();
    int answers = 5_000;
    for (int i = 0; i < answers; i++) {
      disk.isFull = i % 700 > 350;
      lines.answered(answer(200));
    }
    disk.isFull = false;
    long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (told(disk) < answers && System.nanoTime() < deadlineNanos) {
      LockSupport.parkNanos(5_000_000);
    }
    lines.close();
    assertTrue(told(disk) >= answers, () -> told(disk) + " of " + answers);
  }

  private static long told(Disk disk) {
    return disk.text
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
    AccessLines.Target target =
        () -> {
          files.add(new StringWriter());
          return files.get(files.size() - 1);
        };
    AccessLines lines = new AccessLines(target, alarms, 1);
    lines.answered(answer(200));
    lines.start();
    while (files.isEmpty() || files.get(0).toString().isEmpty()) {
      Thread.onSpinWait();
    }
    lines.reopen();
    lines.answered(answer(201));
    lines.close();
    assertEquals(2, files.size());
    assertTrue(files.get(1).toString().contains("\"status\":201"));
  }

  @Test
  void whatCannotBeWrittenHoldsNobodyUp() {
    CountDownLatch never = new CountDownLatch(1);
    AccessLines lines =
        new AccessLines(
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
      lines.answered(answer(200));
    }
    lines.close(); // returns
    never.countDown();
  }

  private void awaitTold(int lines) {
    long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (told.size() < lines) {
      assertTrue(System.nanoTime() < deadlineNanos, () -> "only " + told);
      Thread.onSpinWait();
    }
  }

  private static Answered answer(int status) {
    return new Answered(
        Instant.parse("2026-01-02T03:04:05.678Z"),
        "GET",
        "/get/{key}",
        status,
        13,
        42_900,
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 1));
  }

  /** Takes nothing while it is full. */
  private static final class Disk extends Writer {
    @SuppressWarnings("JdkObsolete") // written by one thread, read by another
    final StringBuffer text = new StringBuffer();

    volatile boolean isFull = true;

    @Override
    public void write(char[] chars, int offset, int length) throws IOException {
      if (isFull) {
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
