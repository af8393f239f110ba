package io.pensieve.log.file;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/** Who runs the scribe, what it leaves to others, and the compactor; and by which clock. */
record Threads(Executor scribe, Executor background, Executor compactor, LongSupplier nanoTime) {
  static Threads daemons() {
    return new Threads(
        work -> new DeafThread("pensieve-scribe", work).start(),
        work -> new DeafThread("pensieve-allocation", work).start(),
        work -> new DeafThread("pensieve-compactor", work).start(),
        System::nanoTime);
  }
}
