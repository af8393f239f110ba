package io.pensieve.log;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/** Who runs the scribe, what it leaves to others, and the compactor; and by which clock. */
record Threads(Executor scribe, Executor background, Executor compactor, LongSupplier nanoTime) {
  static Threads daemons() {
    return new Threads(
        work -> daemon("pensieve-scribe", work).start(),
        work -> daemon("pensieve-allocation", work).start(),
        work -> daemon("pensieve-compactor", work).start(),
        System::nanoTime);
  }

  private static Thread daemon(String name, Runnable work) {
    // Deaf to interrupts: they would close the file that it writes to.
    Thread thread =
        new Thread(work, name) {
          @Override
          public void interrupt() {}
        };
    thread.setDaemon(true);
    return thread;
  }
}
