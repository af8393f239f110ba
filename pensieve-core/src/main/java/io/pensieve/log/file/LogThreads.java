package io.pensieve.log.file;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * Who runs the scribe, what it leaves to others, what completes futures, and the compactor; by
 * which clock; and who is told if that ends badly.
 */
record LogThreads(
    Executor logWriter,
    Executor background,
    Executor completions,
    Executor compactor,
    LongSupplier nanoTime,
    OperatorLog operator) {

  /** With the system's logger. */
  LogThreads(
      Executor logWriter,
      Executor background,
      Executor completions,
      Executor compactor,
      LongSupplier nanoTime) {
    this(logWriter, background, completions, compactor, nanoTime, OperatorLog.ofSystem());
  }

  static LogThreads daemons() {
    return new LogThreads(
        work -> UninterruptibleThread.start("pensieve-log-writer", work),
        work -> UninterruptibleThread.start("pensieve-segment-preallocator", work),
        work -> UninterruptibleThread.start("pensieve-completions", work),
        work -> UninterruptibleThread.start("pensieve-compactor", work),
        System::nanoTime);
  }
}
