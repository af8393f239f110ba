package io.pensieve.log.file;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * Who runs the scribe, what it leaves to others, what completes futures, and the compactor; and by
 * which clock.
 */
record Threads(
    Executor scribe,
    Executor background,
    Executor completions,
    Executor compactor,
    LongSupplier nanoTime) {
  static Threads daemons() {
    return new Threads(
        work -> DeafThread.start("pensieve-scribe", work),
        work -> DeafThread.start("pensieve-allocation", work),
        work -> DeafThread.start("pensieve-completions", work),
        work -> DeafThread.start("pensieve-compactor", work),
        System::nanoTime);
  }
}
