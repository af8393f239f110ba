package io.pensieve.log.file;

/** How much of a long test is done: in every build, or with {@code mvn verify -Pdeep}. */
public final class Depth {
  private static final boolean IS_DEEP = Boolean.getBoolean("pensieve.deep");

  private Depth() {}

  public static int of(int verify, int deep) {
    return IS_DEEP ? deep : verify;
  }
}
