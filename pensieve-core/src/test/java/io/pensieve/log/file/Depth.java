package io.pensieve.log.file;

import java.util.Locale;

/**
 * How much of a long test is done: quick in every build, more with {@code mvn verify -Pci}, and as
 * much as there is with {@code -Pdeep}. A class that asks has the tag {@link #TAG}.
 */
public final class Depth {
  /** Of the classes whose depth depends on the profile: {@code -Dgroups=depth} runs them alone. */
  public static final String TAG = "depth";

  /** In the order of their depths. */
  private enum Level {
    QUICK,
    CI,
    DEEP
  }

  private static final Level LEVEL =
      Level.valueOf(System.getProperty("pensieve.depth", "quick").toUpperCase(Locale.ROOT));

  private Depth() {}

  /** What the level that was chosen makes of a number, such as of rounds or of seeds. */
  public static int of(int quick, int ci, int deep) {
    return switch (LEVEL) {
      case QUICK -> quick;
      case CI -> ci;
      case DEEP -> deep;
    };
  }
}
