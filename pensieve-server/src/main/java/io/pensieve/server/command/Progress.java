package io.pensieve.server.command;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Tells how far a long command is: a line that changes on a terminal, else a line now and then. */
final class Progress {
  private static final long TERMINAL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int BAR_CHARACTERS = 30;

  private final PrintStream err;
  private final boolean terminal;
  private final String verb;
  private final long total;
  private final LongSupplier nanoClock;
  private long nextNanos;
  private boolean isShown;

  /**
   * Creates a progress that has shown nothing yet.
   *
   * @param total what the count ends at; 0 if unknown
   */
  Progress(PrintStream err, boolean terminal, String verb, long total, LongSupplier nanoClock) {
    this.err = err;
    this.terminal = terminal;
    this.verb = verb;
    this.total = total;
    this.nanoClock = nanoClock;
    this.nextNanos = nanoClock.getAsLong() + TERMINAL_NANOS;
  }

  static Progress on(Session session, String verb) {
    return on(session, verb, 0);
  }

  static Progress on(Session session, String verb, long total) {
    return new Progress(session.err(), session.terminal(), verb, total, System::nanoTime);
  }

  /** Shows the count, if it is time to. */
  void show(long count) {
    long now = nanoClock.getAsLong();
    if (now - nextNanos < 0) {
      return;
    }
    nextNanos = now + (terminal ? TERMINAL_NANOS : LINE_NANOS);
    if (terminal) {
      err.print("\r" + text(count));
      err.flush();
      isShown = true;
    } else {
      err.print(text(count) + "\n");
    }
  }

  private String text(long count) {
    if (total <= 0) {
      return verb + " " + count;
    }
    long share = Math.min(BAR_CHARACTERS, count * BAR_CHARACTERS / total);
    String bar = "#".repeat((int) share) + ".".repeat(BAR_CHARACTERS - (int) share);
    return verb + " " + (terminal ? "[" + bar + "] " : "") + count + " of " + total;
  }

  /** Takes the changing line away. */
  void clear() {
    if (isShown) {
      err.print("\r\u001b[K");
      err.flush();
      isShown = false;
    }
  }

  /** Leaves a line with the last count. */
  void end(long count) {
    clear();
    err.print(text(count) + "\n");
  }
}
