package io.pensieve.log.file;

import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Writes a line, for whoever runs the process, where a log has failed, was cut, or backs off. Its
 * methods throw nothing.
 */
final class OperatorLog {
  // Written last: the state is stored and the waiters are released before, and no lock is held that
  // a reader, a writer or close() waits for. So a logger that throws, blocks or has no memory does
  // no harm; but an opening that has cut a tail returns when its line is written. The logger is
  // asked for with the first line: most logs have none, and Java's own backend takes time to start.

  private final Supplier<System.Logger> logger;

  OperatorLog(Supplier<System.Logger> logger) {
    this.logger = logger;
  }

  /** Writes to the logger that is named after {@link FileLog}. */
  static OperatorLog ofSystem() {
    return new OperatorLog(() -> System.getLogger(FileLog.class.getName()));
  }

  /** The log takes no more writes. Answers whether the line is written. */
  boolean failed(LogException.Failed failure) {
    try {
      logger.get().log(Level.ERROR, failure.getMessage());
      return true;
    } catch (Throwable cannotBeLogged) {
      return false;
    }
  }

  /** Recovery has done this. */
  void opened(RecoveryReport report) {
    try {
      report.tornTail().ifPresent(tail -> logger.get().log(Level.WARNING, line(tail)));
    } catch (Throwable cannotBeLogged) {
      // There is nobody else to tell.
    }
  }

  private static String line(RecoveryReport.TornTail tail) {
    return tail.file()
        + ": a torn tail of "
        + tail.bytes()
        + " bytes was cut off at offset "
        + tail.offset()
        + " and kept as "
        + tail.copy();
  }

  /** A compaction has failed, and none begins by itself for so long. */
  void backsOff(Path folder, Throwable cause, long nanos) {
    try {
      long seconds = TimeUnit.NANOSECONDS.toSeconds(nanos);
      logger
          .get()
          .log(
              Level.WARNING,
              folder + ": a compaction failed, the next one waits for " + seconds + " s: " + cause);
    } catch (Throwable cannotBeLogged) {
      // There is nobody else to tell.
    }
  }
}
