package io.pensieve.log.file;

import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What was logged, each line with its level before it. */
final class RecordedLines implements System.Logger {
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Semaphore written = new Semaphore(0);
  private final AtomicInteger refusals = new AtomicInteger();

  /** So many more lines cannot be logged. */
  void refuse(int times) {
    refusals.set(times);
  }

  List<String> lines() {
    return lines;
  }

  /** Waits for a line that was not waited for yet, for half a minute. */
  boolean awaitLine() throws InterruptedException {
    return written.tryAcquire(2, TimeUnit.MINUTES);
  }

  @Override
  public String getName() {
    return "test";
  }

  @Override
  public boolean isLoggable(Level level) {
    return true;
  }

  @Override
  public void log(
      Level level, @Nullable ResourceBundle bundle, String line, @Nullable Throwable thrown) {
    throw new AssertionError("one line, and no trace: " + line, thrown);
  }

  @Override
  public void log(
      Level level, @Nullable ResourceBundle bundle, String line, Object @Nullable ... parameters) {
    if (refusals.get() > 0 && refusals.getAndDecrement() > 0) {
      throw new OutOfMemoryError("no room for a line");
    }
    lines.add(level + " " + line);
    written.release();
  }
}
