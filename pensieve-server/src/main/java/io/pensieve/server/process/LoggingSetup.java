package io.pensieve.server.process;

import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Configures the logging of the libraries: warnings, one line each, to the standard error stream.
 */
public final class LoggingSetup {
  // The log system references loggers weakly. Without this list they could lose their level.
  private static final List<Logger> QUIET =
      List.of(
          Logger.getLogger("org.xnio"),
          Logger.getLogger("org.jboss"),
          Logger.getLogger("io.undertow"));

  // Its messages quote paths, and so keys. The routes log their own exceptions without paths.
  private static final Logger SILENT = Logger.getLogger("io.undertow.request");

  private LoggingSetup() {}

  /** Call this before anything logs. */
  public static void setUp() {
    System.setProperty("org.jboss.logging.provider", "jdk");
    System.setProperty(
        "java.util.logging.SimpleFormatter.format", "%1$tFT%1$tT.%1$tL%1$tz %4$s %3$s: %5$s%6$s%n");
    QUIET.forEach(logger -> logger.setLevel(Level.WARNING));
    SILENT.setLevel(Level.OFF);
  }
}
