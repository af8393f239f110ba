package io.pensieve.log.file;

import java.lang.invoke.MethodHandles;
import java.util.List;

/**
 * Initializes the classes that an operation may be the first to use. If initialization fails for
 * want of stack or heap, Java refuses the class until the process ends. So a new log initializes
 * them before there is anything to lose.
 */
final class ClassInitialization {
  private static final List<Class<?>> CLASSES =
      List.of(
          RingClaim.class,
          CompactionStatistics.class,
          FrameEncoder.class,
          FileHeader.class,
          Format.class,
          BatchFrame.class,
          OperatorLog.class,
          WriteRetryPolicy.Meaning.class,
          RingBuffer.class,
          Waiter.class);

  private ClassInitialization() {}

  static void ensure() {
    try {
      for (Class<?> used : CLASSES) {
        MethodHandles.lookup().ensureInitialized(used);
      }
    } catch (IllegalAccessException ofThisPackageAlone) {
      throw new AssertionError(ofThisPackageAlone);
    }
  }
}
