package io.pensieve.server.command;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A terminal on which one page is drawn again and again. It takes single keys, without Enter, where
 * {@code stty} can have it so. Whatever ends the program, the terminal is then as it was.
 */
final class TerminalScreen implements AutoCloseable {
  private static final String ENTER = "\u001b[?1049h\u001b[?25l";
  private static final String LEAVE = "\u001b[?25h\u001b[?1049l";
  private static final String HOME = "\u001b[H";
  private static final String CLEAR_LINE = "\u001b[K";
  private static final String CLEAR_BELOW = "\u001b[J";
  private static final int QUIT = 'q';
  private static final int INTERRUPT = 3;
  private static final long LOOK_MILLIS = 50;
  private static final int STATE_CHARACTERS_MAX = 4096;

  private final InputStream in;
  private final PrintStream out;
  private final String before; // the settings of the terminal; empty if unknown
  private final Thread hook = new Thread(this::restore, "pensieve-terminal");
  private boolean restored;

  TerminalScreen(InputStream in, PrintStream out) {
    this.in = in;
    this.out = out;
    // Another input is no terminal, whatever the output is.
    before = in == System.in ? stty("-g") : "";
    Runtime.getRuntime().addShutdownHook(hook);
    if (!before.isEmpty()) {
      String unused = stty("-icanon", "-echo", "min", "0", "time", "0");
    }
    out.print(ENTER);
    out.flush();
  }

  // Returns nothing if there is no stty, or no terminal.
  private static String stty(String... arguments) {
    String[] command = new String[arguments.length + 1];
    command[0] = "stty";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    try {
      Process stty =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (InputStream printed = stty.getInputStream()) {
        byte[] state = printed.readNBytes(STATE_CHARACTERS_MAX);
        boolean isDone = stty.waitFor(1, TimeUnit.SECONDS) && stty.exitValue() == 0;
        return isDone ? new String(state, StandardCharsets.US_ASCII).strip() : "";
      }
    } catch (IOException noStty) {
      return "";
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  /** Draws a page over the one before. */
  void draw(List<String> lines) {
    StringBuilder page = new StringBuilder(HOME);
    for (String line : lines) {
      page.append(TerminalText.line(line)).append(CLEAR_LINE).append("\n");
    }
    out.print(page + CLEAR_BELOW);
    out.flush();
  }

  /** Waits so long for the key that quits. Returns whether it came. */
  boolean isQuitWithin(long millis) throws IOException, InterruptedException {
    for (long left = millis; ; left -= LOOK_MILLIS) {
      while (in.available() > 0) {
        int key = in.read();
        if (key == QUIT || key == INTERRUPT || key < 0) {
          return true;
        }
      }
      if (left <= 0) {
        return false;
      }
      Thread.sleep(Math.min(left, LOOK_MILLIS));
    }
  }

  // The program may be stopped while it ends.
  private synchronized void restore() {
    if (restored) {
      return;
    }
    restored = true;
    out.print(LEAVE);
    out.flush();
    if (!before.isEmpty()) {
      String unused = stty(before);
    }
  }

  @Override
  public void close() {
    restore();
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException alreadyStopping) {
      // It has restored the terminal, or does.
    }
  }
}
