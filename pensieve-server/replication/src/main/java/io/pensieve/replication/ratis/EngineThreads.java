package io.pensieve.replication.ratis;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The threads of a member. A thread belongs to the group of the one that made it, so all those
 * belong here that Ratis makes while it starts.
 */
final class EngineThreads extends ThreadGroup {
  private static final int SPARE = 64;

  private final EngineEvents events;

  /** What may throw. */
  interface Step {
    void run() throws Exception;
  }

  EngineThreads(String self, EngineEvents events) {
    super("pensieve-raft-" + self);
    this.events = events;
  }

  /** Runs a step in a thread of this group, and waits for it. */
  void call(Step step) throws Exception {
    Callable<Boolean> task =
        () -> {
          step.run();
          return true;
        };
    FutureTask<Boolean> future = new FutureTask<>(task);
    new Thread(this, future, getName() + "-start").start();
    try {
      future.get();
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw failed;
    }
  }

  /** Ends the threads with this in their name, by an interrupt, and waits for that. */
  void end(String part) throws InterruptedException {
    Thread[] found = new Thread[2 * activeCount() + SPARE]; // the count is an estimate
    int count = enumerate(found);
    for (int i = 0; i < count; i++) {
      if (found[i].getName().contains(part)) {
        found[i].interrupt();
        found[i].join();
      }
    }
  }

  /** Without that thread the member would be half alive. */
  @Override
  public void uncaughtException(Thread thread, Throwable failure) {
    events.failed(new IOException(thread.getName() + " has died", failure));
  }
}
