package io.pensieve.server;

import io.pensieve.log.LogStatistics;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.FileDescriptors;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Looks every so often at what nobody tells of by itself, and raises alarms, on its own thread. */
final class AlarmMonitor implements AutoCloseable {
  private static final Logger LOGGER = Logger.getLogger(AlarmMonitor.class.getName());
  private static final long STOP_MILLIS_MAX = 1_000;

  private final Alarms alarms;
  private final Supplier<LogStatistics> log;
  private final Supplier<FileDescriptors> descriptors;
  private final Runnable others;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;
  private boolean broken; // the last look was; of the thread

  /**
   * A watch that has not begun.
   *
   * @param others looks at what else there is
   */
  AlarmMonitor(
      Alarms alarms,
      Supplier<LogStatistics> log,
      Supplier<FileDescriptors> descriptors,
      Runnable others,
      Duration period) {
    this.alarms = alarms;
    this.log = log;
    this.descriptors = descriptors;
    this.others = others;
    this.thread = new Thread(() -> lookEvery(period), "pensieve-alarms");
    thread.setDaemon(true);
  }

  /** Looks once, so that a start says what is wrong, and starts to look. */
  AlarmMonitor start() {
    look();
    thread.start();
    return this;
  }

  private void lookEvery(Duration period) {
    try {
      while (!closed.await(period.toNanos(), TimeUnit.NANOSECONDS)) {
        lookAgain();
      }
    } catch (InterruptedException alsoCloses) {
      Thread.currentThread().interrupt();
    }
  }

  // Who tells what is wrong must not end because of it. What is thrown each time is told once.
  private void lookAgain() {
    try {
      look();
      broken = false;
    } catch (RuntimeException | Error failure) {
      if (!broken) {
        LOGGER.log(Level.SEVERE, "cannot look for alarms: {0}", failure.getClass().getName());
      }
      broken = true;
    }
  }

  void look() {
    LogStatistics now = log.get();
    boolean failed = now.failure().isPresent();
    set(Alarms.Kind.LOG_FAILED, now.failure());
    set(Alarms.Kind.LOG_FULL, failed ? Optional.empty() : now.refusal());
    set(Alarms.Kind.COMPACTION_FAILED, now.lastFailure());
    FileDescriptors used = descriptors.get();
    String inUse = used.open() + " of " + used.max() + " file descriptors are in use";
    set(Alarms.Kind.DESCRIPTORS_SHORT, used.areShort() ? Optional.of(inUse) : Optional.empty());
    others.run();
  }

  private void set(Alarms.Kind kind, Optional<String> reason) {
    if (reason.isPresent()) {
      alarms.raise(kind, "", reason.get());
    } else {
      alarms.clear(kind, "");
    }
  }

  /** Stops to look. */
  @Override
  public void close() {
    closed.countDown();
    try {
      thread.join(STOP_MILLIS_MAX);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
  }
}
