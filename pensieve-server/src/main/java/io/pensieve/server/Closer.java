package io.pensieve.server;

import java.util.List;

/** Closes several things, each of them whatever becomes of the others. */
final class Closer {
  private Closer() {}

  /**
   * Closes them in this order.
   *
   * @throws RuntimeException what the first of them has thrown that could not be closed, with what
   *     others have thrown; all were asked to close
   */
  static void closeAll(List<? extends AutoCloseable> things) {
    Throwable first = null;
    for (AutoCloseable thing : things) {
      try {
        thing.close();
      } catch (Throwable notClosed) {
        if (notClosed instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
        if (first == null) {
          first = notClosed;
        } else if (first != notClosed) {
          first.addSuppressed(notClosed);
        }
      }
    }
    if (first instanceof RuntimeException failure) {
      throw failure;
    } else if (first instanceof Error failure) {
      throw failure;
    } else if (first != null) {
      throw new IllegalStateException(first);
    }
  }
}
