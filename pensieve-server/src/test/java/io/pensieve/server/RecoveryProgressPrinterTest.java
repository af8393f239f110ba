package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.RecoveryReport;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class RecoveryProgressPrinterTest {
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE);
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final RecoveryProgressPrinter recoveryProgressPrinter =
      new RecoveryProgressPrinter(
          new PrintStream(printed, true, StandardCharsets.UTF_8), nanos::get);

  private void after(long millis) {
    nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  private String printed() {
    return printed.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }

  @Test
  void aShortRecoveryIsSilent() {
    recoveryProgressPrinter.recovered(0, 100);
    after(999);
    recoveryProgressPrinter.recovered(100, 100);
    assertEquals("", printed());
  }

  @Test
  void aLongRecoveryTellsHowFarItIsOnceASecond() {
    after(1000);
    recoveryProgressPrinter.recovered(25, 100);
    after(500);
    recoveryProgressPrinter.recovered(50, 100);
    after(600);
    recoveryProgressPrinter.recovered(75, 0);
    assertEquals("recovering: 25 bytes of 100 (25 %)\nrecovering: 75 bytes\n", printed());
  }

  @Test
  void aCleanReport() {
    recoveryProgressPrinter.report(
        new RecoveryReport(7, 100, true, Optional.empty(), Duration.ofMillis(12)), 5);
    assertEquals(
        "recovered 5 entries from 7 changes (100 bytes) in 12 ms; the log was closed cleanly\n",
        printed());
  }

  @Test
  void aReportAfterACrashTellsWhatWasCut() {
    var tail = new RecoveryReport.TornTail(Path.of("segment"), 88, 12, Path.of("segment.torn"));
    recoveryProgressPrinter.report(
        new RecoveryReport(7, 100, false, Optional.of(tail), Duration.ofMillis(12)), 5);
    assertTrue(printed().contains("the log was not closed"), printed());
    assertTrue(
        printed()
            .endsWith(
                "cut an unfinished end of 12 bytes off segment at offset 88, kept in"
                    + " segment.torn\n"),
        printed());
  }
}
