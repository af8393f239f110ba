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
   * Starts a thread.
   *
   * @throws LogException.Failed if the system cannot start another thread
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

  /** Work that may fail on the disk. */
  interface Work<T> {
    T run() throws IOException;
  }

  /** Work for a thread, and its result. */
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
      } catch (Throwable failure) { // any failure goes to the waiting thread
        thrown = unwrapped(failure);
      }
    }

    // Java's try-with-resources refuses an exception that both the body and a close throw. Both may
    // throw the same OutOfMemoryError. Java's refusal would hide it.
    private static Throwable unwrapped(Throwable failure) {
      return failure instanceof IllegalArgumentException
              && failure.getCause() instanceof Error error
          ? error
          : failure;
    }

    /** Answers the work's result, or throws its exception. For when the thread has ended. */
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
   * Runs work in a thread of its own and waits for it, however often the caller is interrupted. The
   * caller keeps its interrupt flag. An exception of the work is thrown here.
   */
  static <T> T call(String name, Work<T> work) throws IOException {
    Task<T> task = new Task<>(work);
    start(name, task).await();
    return task.result();
  }

  /** Rethrows the exception of another thread, if there is one. */
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
