package io.pensieve.replication.ratis;

import java.lang.Thread.UncaughtExceptionHandler;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.ratis.util.ExitUtils;

/** What Ratis does to the whole process, undone: we are a library. */
final class EngineProcess {
  /** A logger that nobody holds loses its level. */
  private static final Logger RATIS = Logger.getLogger("org.apache.ratis");

  /** Read once, by Ratis' own copy of Netty. Its default is two for each processor. */
  private static final String EVENT_LOOP_THREADS =
      "org.apache.ratis.thirdparty.io.netty.eventLoopThreads";

  private static boolean isPrepared;

  /** When a member of this process stopped last, in the time of {@link System#nanoTime}. */
  private static long lastStopNanos = System.nanoTime() - uptimeNanos();

  private EngineProcess() {}

  private static long uptimeNanos() {
    return TimeUnit.MILLISECONDS.toNanos(ManagementFactory.getRuntimeMXBean().getUptime());
  }

  /**
   * Ratis ends the process when its port is taken, and when any thread, its own or not, ends by an
   * exception that nobody caught. It also logs 131 lines in a quiet start: none, unless a level is
   * set in java.util.logging; the few events that an operator needs are told in our words.
   */
  static synchronized void prepare() {
    if (isPrepared) {
      return;
    }
    if (RATIS.getLevel() == null) {
      RATIS.setLevel(Level.OFF);
    }
    if (System.getProperty(EVENT_LOOP_THREADS) == null) {
      System.setProperty(EVENT_LOOP_THREADS, "2");
    }
    UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    ExitUtils.disableSystemExit();
    Thread.setDefaultUncaughtExceptionHandler(before);
    isPrepared = true;
  }

  /**
   * Waits until no leader counts any more on the promise of a member that was here before, to vote
   * for nobody else: a member does not remember that promise over its restart.
   */
  static void outlastLeases() throws InterruptedException {
    long end;
    synchronized (EngineProcess.class) {
      end = lastStopNanos + TimeUnit.MILLISECONDS.toNanos(EngineProperties.LEASE_MILLIS);
    }
    long nanos = end - System.nanoTime();
    if (nanos > 0) {
      TimeUnit.NANOSECONDS.sleep(nanos);
    }
  }

  static synchronized void memberStopped() {
    lastStopNanos = System.nanoTime();
  }
}
