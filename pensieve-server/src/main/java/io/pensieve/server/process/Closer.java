package io.pensieve.server.process;

import java.util.List;

/** Closes several objects, each even if another one fails. */
public final class Closer {
  private Closer() {}

  /**
   * Closes them in this order.
   *
   * @throws RuntimeException the first exception, with all later ones suppressed; every object was
   *     closed or has thrown
   */
  public static void closeAll(List<? extends AutoCloseable> things) {
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
