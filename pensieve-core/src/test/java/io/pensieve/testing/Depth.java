package io.pensieve.testing;

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

  /**
   * The option of a JVM that a test starts. In every build it has the first compiler alone: most of
   * them live for a second, and so start in two thirds of the processor time.
   */
  public static String compilers() {
    return "-XX:TieredStopAtLevel=" + of(1, 4, 4);
  }

  /** What the level that was chosen makes of a number, such as of rounds or of seeds. */
  public static int of(int quick, int ci, int deep) {
    return switch (LEVEL) {
      case QUICK -> quick;
      case CI -> ci;
      case DEEP -> deep;
    };
  }
}
