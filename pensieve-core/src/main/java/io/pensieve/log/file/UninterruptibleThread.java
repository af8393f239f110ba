package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A daemon thread that no interrupt reaches: an interrupt would close the file that its thread
 * reads or writes.
 */
final class UninterruptibleThread extends Thread {
  UninterruptibleThread(String name, Runnable work) {
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
  static UninterruptibleThread start(String name, Runnable work) {
    UninterruptibleThread thread = new UninterruptibleThread(name, work);
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

  /** Work for such a thread, and then what it has come to. */
  static final class Task<T> implements Runnable {
    private final Work<T> work;
    private volatile @Nullable T answer;
    private volatile @Nullable Throwable thrown;

    Task(Work<T> work) {
      this.work = work;
    }

    @Override
    public void run() {
      try {
        answer = work.run();
      } catch (Throwable failure) { // for who waits, whatever it is
        thrown = unwrapped(failure);
      }
    }

    // Java's try-with-resources refuses an exception that both the body and a closing throw, as
    // they may one and the same OutOfMemoryError; its own refusal would hide what has happened.
    private static Throwable unwrapped(Throwable failure) {
      return failure instanceof IllegalArgumentException
              && failure.getCause() instanceof Error error
          ? error
          : failure;
    }

    /** When the thread has ended: what the work answered; or else throws what it threw. */
    T result() throws IOException {
      Throwable failure = thrown;
      if (failure instanceof IOException broken) {
        throw broken;
      }
      rethrow(failure);
      T result = answer;
      assert result != null : "work that answers";
      return result;
    }
  }

  /**
   * Does something in a thread of its own, and waits for it, however often the calling thread is
   * interrupted; it keeps the flag. What is thrown there is thrown here.
   */
  static <T> T call(String name, Work<T> work) throws IOException {
    Task<T> task = new Task<>(work);
    start(name, task).await();
    return task.result();
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
