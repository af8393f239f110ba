package io.pensieve.server.http.metrics;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * The file descriptors of this process.
 *
 * @param open how many are open
 * @param max the maximum; 0 if unknown
 */
public record FileDescriptors(long open, long max) {
  private static final int FREE_SHARE_MIN = 10; // one in this many should be free

  /** Returns the current numbers. */
  public static FileDescriptors ofProcess() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      long max = system.getMaxFileDescriptorCount();
      return new FileDescriptors(open(system, max), max);
    }
    return new FileDescriptors(0, 0);
  }

  // The JVM counts them by opening a folder. Without a free descriptor that throws this error.
  private static long open(UnixOperatingSystemMXBean system, long max) {
    try {
      return system.getOpenFileDescriptorCount();
    } catch (InternalError noneIsLeft) {
      return max;
    }
  }

  /** Returns whether so few are left that they may soon run out. */
  public boolean areShort() {
    return max > 0 && max - open < max / FREE_SHARE_MIN;
  }
}
