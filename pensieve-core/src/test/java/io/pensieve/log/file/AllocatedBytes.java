package io.pensieve.log.file;

import java.lang.reflect.Method;

/** How many bytes a thread has ever allocated. */
final class AllocatedBytes {
  private AllocatedBytes() {}

  // By reflection, since the module of the tests does not read the one of this bean.
  static long ofThisThread() throws ReflectiveOperationException {
    Object bean =
        Class.forName("java.lang.management.ManagementFactory")
            .getMethod("getThreadMXBean")
            .invoke(null);
    Method allocated =
        Class.forName("com.sun.management.ThreadMXBean")
            .getMethod("getThreadAllocatedBytes", long.class);
    return (Long) allocated.invoke(bean, Thread.currentThread().getId());
  }
}
