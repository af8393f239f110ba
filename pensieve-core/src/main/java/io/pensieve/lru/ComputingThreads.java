package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The threads that are running a caller's function for a table, and so hold a node's lock. Such a
 * thread must not write to the same table: two of them could deadlock on each other's nodes.
 *
 * <p>A thread that starts a function takes a {@link Slot} in a list chosen by its thread id. It
 * clears the slot at the end by a plain store, which needs neither stack nor heap. A thread only
 * searches for itself. Lists never shrink: each is as long as the most threads that were in it at
 * once. A writer searches one list. That list is empty until a thread with the same id modulo
 * {@link #LISTS} runs a function.
 */
final class ComputingThreads {
  private static final int LISTS = 64; // a power of two

  private static final VarHandle LIST = MethodHandles.arrayElementVarHandle(Slot[].class);
  private static final VarHandle THREAD;

  static {
    try {
      THREAD = MethodHandles.lookup().findVarHandle(Slot.class, "thread", Thread.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  /** A slot for one thread at a time. */
  static final class Slot {
    /** The thread in this slot, or null. That thread frees the slot by storing null. */
    @Nullable Thread thread;

    private final @Nullable Slot next;

    private Slot(Thread thread, @Nullable Slot next) {
      this.thread = thread;
      this.next = next;
    }
  }

  private final @Nullable Slot[] lists = new @Nullable Slot[LISTS];

  /** Whether the current thread is running a function. */
  boolean includesCurrent() {
    Thread current = Thread.currentThread();
    for (Slot slot = lists[list(current)]; slot != null; slot = slot.next) {
      if (slot.thread == current) {
        return true;
      }
    }
    return false;
  }

  /** Registers the current thread, which is about to run a function and is running none. */
  Slot enter() {
    Thread current = Thread.currentThread();
    int list = list(current);
    Slot first = (Slot) LIST.getAcquire(lists, list);
    for (Slot slot = first; slot != null; slot = slot.next) {
      if (slot.thread == null && THREAD.compareAndSet(slot, null, current)) {
        return slot;
      }
    }
    while (true) {
      Slot added = new Slot(current, first);
      Slot present = (Slot) LIST.compareAndExchange(lists, list, first, added);
      if (present == first) {
        return added;
      }
      first = present;
    }
  }

  @SuppressWarnings({"deprecation", "ThreadIdDeprecated"}) // threadId() needs JDK 19
  private static int list(Thread thread) {
    return (int) thread.getId() & LISTS - 1;
  }
}
