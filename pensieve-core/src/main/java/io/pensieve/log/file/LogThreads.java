package io.pensieve.log.file;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * The executors of the log writer, its background work, future completion and the compactor; the
 * clock; and the operator's log.
 */
record LogThreads(
    Executor logWriter,
    Executor background,
    Executor completions,
    Executor compactor,
    LongSupplier nanoTime,
    OperatorLog operator) {

  /** Uses the system's logger. */
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
