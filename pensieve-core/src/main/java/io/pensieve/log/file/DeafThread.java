package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A daemon thread that no interrupt reaches: an interrupt would close the file that its thread
 * reads or writes.
 */
final class DeafThread extends Thread {
  DeafThread(String name, Runnable work) {
    super(work, name);
    setDaemon(true);
  }

  @Override
  public void interrupt() {}

  /**
   * Starts such a thread.
   *
   * @throws LogException.Failed if the system has none to give
   */
  static DeafThread start(String name, Runnable work) {
    DeafThread thread = new DeafThread(name, work);
    try {
      thread.start();
    } catch (OutOfMemoryError noThread) {
      throw new LogException.Failed("cannot start the thread " + name + ": " + noThread, noThread);
    }
    return thread;
  }

  /** Something that may fail on the disk. */
  interface Work<T> {
    T run() throws IOException;
  }

  /**
   * Does something in a thread of its own, and waits for it, however often the calling thread is
   * interrupted; it keeps the flag. What is thrown there is thrown here.
   */
  static <T> T call(String name, Work<T> work) throws IOException {
    AtomicReference<@Nullable T> answer = new AtomicReference<>();
    AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    DeafThread thread =
        start(
            name,
            () -> {
              try {
                answer.set(work.run());
              } catch (Throwable failure) { // for the caller, whatever it is
                thrown.set(failure);
              }
            });
    thread.await();
    Throwable failure = thrown.get();
    if (failure instanceof IOException broken) {
      throw broken;
    }
    rethrow(failure);
    T result = answer.get();
    assert result != null : "work that answers";
    return result;
  }

  /** Throws what was thrown in another thread, if anything was. */
  static void rethrow(@Nullable Throwable failure) {
    if (failure instanceof RuntimeException unchecked) {
      throw unchecked;
    }
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure != null) {
      throw new IllegalStateException("a checked exception that was not declared", failure);
    }
  }

  /** Returns when this thread has ended. The calling thread keeps its interrupt flag. */
  void await() {
    boolean interrupted = false;
    while (isAlive()) {
      try {
        join();
      } catch (InterruptedException goOnWaiting) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
