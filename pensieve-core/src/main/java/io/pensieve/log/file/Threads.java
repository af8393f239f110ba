package io.pensieve.log.file;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * Who runs the scribe, what it leaves to others, what completes futures, and the compactor; by
 * which clock; and who is told if that ends badly.
 */
record Threads(
    Executor scribe,
    Executor background,
    Executor completions,
    Executor compactor,
    LongSupplier nanoTime,
    OperatorLog operator) {

  /** With the system's logger. */
  Threads(
      Executor scribe,
      Executor background,
      Executor completions,
      Executor compactor,
      LongSupplier nanoTime) {
    this(scribe, background, completions, compactor, nanoTime, OperatorLog.ofSystem());
  }

  static Threads daemons() {
    return new Threads(
        work -> DeafThread.start("pensieve-scribe", work),
        work -> DeafThread.start("pensieve-allocation", work),
        work -> DeafThread.start("pensieve-completions", work),
        work -> DeafThread.start("pensieve-compactor", work),
        System::nanoTime);
  }
}
