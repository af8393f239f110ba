package io.pensieve.replication;

import java.util.Collection;

/** What runs the work that a log does by itself. Closing is in {@link #end}. */
interface Workers {
  /**
   * Begins.
   *
   * @param packer proposes what waits, until the log ends
   * @param tick is called from time to time
   */
  void begin(Packer<?, ?> packer, Runnable tick);

  /** Completes futures, in their order; soon, and not on the engine's thread. */
  void complete(Collection<? extends Runnable> completions);

  /** Runs a task that may take long, after those before it; or not at all if the log ends. */
  void executeLong(Runnable task);

  /** Begins no new work, but completions. */
  void endSoon();

  /** Ends, once everything is completed. */
  void end();
}
