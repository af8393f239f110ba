package io.pensieve.server.process;

import io.pensieve.log.LogStatistics;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.FileDescriptors;
import io.pensieve.server.http.metrics.ProcessMetrics;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Periodically checks conditions that nothing else reports, and raises alarms, on its own thread.
 */
public final class AlarmMonitor implements AutoCloseable {
  private static final Logger LOGGER = Logger.getLogger(AlarmMonitor.class.getName());
  private static final long STOP_MILLIS_MAX = 1_000;

  private final Alarms alarms;
  private final Supplier<LogStatistics> log;
  private final Supplier<FileDescriptors> descriptors;
  private final Runnable others;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;
  private boolean broken; // thread only: the last check failed

  /**
   * Creates a monitor that has not started.
   *
   * @param others checks further conditions
   */
  public AlarmMonitor(
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

  /** Checks once, so that a start reports problems, and starts the thread. */
  public AlarmMonitor start() {
    look();
    thread.start();
    return this;
  }

  private void lookEvery(Duration period) {
    try {
      for (boolean isFirst = true;
          !closed.await(period.toNanos(), TimeUnit.NANOSECONDS);
          isFirst = false) {
        if (isFirst) {
          loadMetrics();
        }
        lookAgain();
      }
    } catch (InterruptedException alsoCloses) {
      Thread.currentThread().interrupt();
    }
  }

  // While there is memory, and off the way of a start.
  private static void loadMetrics() {
    try {
      ProcessMetrics.load();
    } catch (RuntimeException | Error failure) {
      LOGGER.log(Level.SEVERE, "cannot load the metrics", failure);
    }
  }

  // A failing check must not end the monitor. A repeated failure is logged once.
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

  /** Stops checking. */
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
