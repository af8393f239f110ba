package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.util.List;

/**
 * Initialises the classes that an operation may be the first to use. If that fails for lack of
 * stack or heap, Java refuses the class until the process ends. So the constructor of a table
 * initialises them, before there is anything to lose.
 */
final class ClassInitialization {
  private static final List<Class<?>> CLASSES =
      List.of(
          Bin.class,
          ComputingThreads.class,
          ComputingThreads.Slot.class,
          UpdateDecision.class,
          UpdateDecision.Action.class,
          NodeWriter.Origin.class,
          EvictionOrder.Victim.class,
          ChangeSink.KeyChange.class,
          BinLink.class,
          Node.class,
          Node.Snapshot.class,
          UpdateResult.class,
          SpinWait.class,
          Timer.class,
          Timer.Dated.class);

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
