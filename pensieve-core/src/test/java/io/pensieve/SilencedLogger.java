package io.pensieve;

import org.jspecify.annotations.Nullable;

/**
 * Keeps the warnings that a test provokes by the thousand off the console. By reflection: the
 * module under test does not read {@code java.logging}, where Java's own backend of {@link
 * System.Logger} is.
 */
final class SilencedLogger implements AutoCloseable {
  private final Class<?> level = type("Level");
  private final Object logger =
      call(null, type("Logger"), "getLogger", String.class, "io.pensieve");

  SilencedLogger() {
    set(call(null, level, "parse", String.class, "OFF"));
  }

  @Override
  public void close() {
    set(null); // as the loggers above it
  }

  private void set(@Nullable Object to) {
    Object ignored = call(logger, logger.getClass(), "setLevel", level, to);
  }

  private static Class<?> type(String name) {
    try {
      return Class.forName("java.util.logging." + name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private static Object call(
      @Nullable Object on, Class<?> type, String name, Class<?> taking, @Nullable Object with) {
    try {
      Object result = type.getMethod(name, taking).invoke(on, new @Nullable Object[] {with});
      return result == null ? type : result;
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(name, e);
    }
  }
}
