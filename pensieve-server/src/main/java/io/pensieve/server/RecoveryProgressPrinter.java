package io.pensieve.server;

import io.pensieve.RecoveryListener;
import io.pensieve.log.RecoveryReport;
import java.io.PrintStream;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Prints the progress of a long recovery, and the result of every recovery. */
final class RecoveryProgressPrinter implements RecoveryListener {
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final PrintStream out;
  private final LongSupplier nanoClock;
  private long nextLineNanos;

  RecoveryProgressPrinter(PrintStream out, LongSupplier nanoClock) {
    this.out = out;
    this.nanoClock = nanoClock;
    this.nextLineNanos = nanoClock.getAsLong() + SILENCE_NANOS;
  }

  @Override
  public synchronized void recovered(long bytesRead, long bytesTotal) {
    long now = nanoClock.getAsLong();
    if (now - nextLineNanos >= 0) {
      nextLineNanos = now + SILENCE_NANOS;
      String share =
          bytesTotal > 0
              ? " of " + bytesTotal + " (" + (long) (100.0 * bytesRead / bytesTotal) + " %)"
              : "";
      out.println("recovering: " + bytesRead + " bytes" + share);
    }
  }

  void report(RecoveryReport report, int entries) {
    out.println(
        "recovered "
            + entries
            + " entries from "
            + report.changes()
            + " changes ("
            + report.bytes()
            + " bytes) in "
            + report.elapsed().toMillis()
            + " ms; "
            + (report.closedCleanly()
                ? "the log was closed cleanly"
                : "the log was not closed, so the order of use is that of the writes"));
    report
        .tornTail()
        .ifPresent(
            tail ->
                out.println(
                    "cut an unfinished end of "
                        + tail.bytes()
                        + " bytes off "
                        + tail.file()
                        + " at offset "
                        + tail.offset()
                        + ", kept in "
                        + tail.copy()));
  }
}
