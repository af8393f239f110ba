package io.pensieve.server.http.metrics;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * How many file descriptors this process has open, and may have.
 *
 * @param open how many are open
 * @param max how many may be; 0 if that is not known
 */
public record FileDescriptors(long open, long max) {
  private static final int FREE_SHARE_MIN = 10; // one in so many is to be free

  /** As it is now. */
  public static FileDescriptors ofProcess() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      long max = system.getMaxFileDescriptorCount();
      return new FileDescriptors(open(system, max), max);
    }
    return new FileDescriptors(0, 0);
  }

  // The JVM counts them by opening a folder: without a descriptor for that it throws this error.
  private static long open(UnixOperatingSystemMXBean system, long max) {
    try {
      return system.getOpenFileDescriptorCount();
    } catch (InternalError noneIsLeft) {
      return max;
    }
  }

  /** Whether there are so few left that soon there may be none. */
  public boolean areShort() {
    return max > 0 && max - open < max / FREE_SHARE_MIN;
  }
}
