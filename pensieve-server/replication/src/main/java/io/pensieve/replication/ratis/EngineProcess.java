package io.pensieve.replication.ratis;

import java.lang.Thread.UncaughtExceptionHandler;
import org.apache.ratis.util.ExitUtils;

/** What Ratis does to the whole process, undone: we are a library. */
final class EngineProcess {
  private static boolean isPrepared;

  private EngineProcess() {}

  /**
   * Ratis ends the process when its port is taken, and when any thread, its own or not, ends by an
   * exception that nobody caught.
   */
  static synchronized void prepare() {
    if (isPrepared) {
      return;
    }
    UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    ExitUtils.disableSystemExit();
    Thread.setDefaultUncaughtExceptionHandler(before);
    isPrepared = true;
  }
}
