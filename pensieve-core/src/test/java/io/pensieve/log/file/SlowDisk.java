package io.pensieve.log.file;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** The operating system's disk, of which one operation takes as long as the test likes. */
final class SlowDisk {
  private static final List<Class<?>> PARTS =
      List.of(Disk.File.class, Disk.Folder.class, Disk.Lock.class);

  private final Set<String> seen = new ConcurrentSkipListSet<>();
  private final CountDownLatch held = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private volatile @Nullable String slow; // the operation that is to be held
  private volatile boolean isWriterOnly;
  private volatile @Nullable Thread thread; // that is held

  Disk disk() {
    return (Disk) slow(Disk.class, new FileDisk());
  }

  /** From now on the first operation of this kind is held, and no other one after it. */
  void hold(String operation) {
    slow = operation;
  }

  /** As {@link #hold}, of the log writer's operations only. */
  void holdWriter(String operation) {
    isWriterOnly = true;
    slow = operation;
  }

  /** From now on it is noted which operations there are. */
  Set<String> operations() {
    return seen;
  }

  void forget() {
    seen.clear();
  }

  boolean isHolding() {
    return held.getCount() == 0;
  }

  void awaitHeld() throws InterruptedException {
    held.await();
  }

  /** Whether it is the log's writer that is held. */
  boolean holdsWriter() {
    Thread current = thread;
    return current != null && isWriter(current);
  }

  private static boolean isWriter(Thread thread) {
    return thread.getName().equals("pensieve-log-writer");
  }

  void release() {
    slow = null;
    released.countDown();
  }

  private Object slow(Class<?> type, Object real) {
    return Proxy.newProxyInstance(
        SlowDisk.class.getClassLoader(),
        new Class<?>[] {type},
        (proxy, method, arguments) -> call(type, real, method, arguments));
  }

  private @Nullable Object call(
      Class<?> type, Object real, Method method, Object @Nullable [] arguments) throws Throwable {
    String operation = type.getSimpleName() + "." + method.getName();
    seen.add(operation);
    boolean isMeant = !isWriterOnly || isWriter(Thread.currentThread());
    if (operation.equals(slow) && isMeant && claim()) {
      held.countDown();
      released.await();
    }
    Object answer;
    try {
      method.setAccessible(true);
      answer = method.invoke(real, arguments);
    } catch (InvocationTargetException thrown) {
      throw thrown.getCause();
    }
    for (Class<?> part : PARTS) {
      if (part.isInstance(answer)) {
        return slow(part, answer);
      }
    }
    return answer;
  }

  private synchronized boolean claim() {
    if (thread != null) {
      return false;
    }
    thread = Thread.currentThread();
    return true;
  }
}
