package io.pensieve.server.command;

import com.google.gson.JsonObject;
import io.pensieve.server.client.MetricsReading;
import io.pensieve.server.client.PensieveClient;
import io.pensieve.server.client.UnreachableException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** Shows what a server does, again and again. */
final class TopCommand implements Command {
  private static final String INTERVAL = "--interval";
  private static final String ONCE = "--once";
  private static final long INTERVAL_DEFAULT = 2;
  private static final double NANOS = 1e9;

  @Override
  public String name() {
    return "top";
  }

  @Override
  public CommandSpec spec() {
    return Options.command(
            "Shows what a server does, live.",
            "On a terminal a page, until q or Ctrl-C; else a line each time, until Ctrl-C. Rates"
                + " are since the time before, at first since the start of the server.")
        .addOption(Options.text(INTERVAL, "SECONDS", "How often; every 2 by default."))
        .addOption(Options.flag(ONCE, "Print one page, and end."));
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    long seconds =
        session.has(INTERVAL) ? Options.count(INTERVAL, session.text(INTERVAL)) : INTERVAL_DEFAULT;
    long millis = TimeUnit.SECONDS.toMillis(Math.min(seconds, TimeUnit.DAYS.toSeconds(1)));
    Run run = new Run(session.client());
    TopFrame first = run.next(); // before the terminal is changed: it may fail
    if (session.has(ONCE)) {
      if (session.isJson()) {
        session.json(first.json());
      } else {
        first.lines().forEach(session::line);
      }
      return ExitCode.DONE;
    }
    return session.terminal() && !session.isJson()
        ? draw(session, run, first, millis)
        : print(session, run, first, millis);
  }

  private static int draw(Session session, Run run, TopFrame first, long millis)
      throws IOException, InterruptedException {
    try (TerminalScreen screen = new TerminalScreen(session.in(), session.out())) {
      List<String> page = first.lines();
      while (true) {
        screen.draw(page);
        if (session.isOutputBroken()) {
          return ExitCode.OUTPUT_BROKEN;
        }
        if (screen.isQuitWithin(millis)) {
          return ExitCode.DONE;
        }
        page = run.nextPage();
      }
    }
  }

  private static int print(Session session, Run run, TopFrame first, long millis)
      throws IOException, InterruptedException {
    for (TopFrame frame = first; ; frame = run.next()) {
      if (session.isJson()) {
        session.json(frame.json());
      } else {
        session.line(frame.line());
      }
      if (session.isOutputBroken()) {
        return ExitCode.OUTPUT_BROKEN;
      }
      Thread.sleep(millis);
    }
  }

  /** Reads the server, and remembers what it read before. */
  private static final class Run {
    private final PensieveClient client;
    private @Nullable MetricsReading before;
    private long beforeNanos;
    private long uptimeMillis;

    Run(PensieveClient client) {
      this.client = client;
    }

    TopFrame next() throws IOException, InterruptedException {
      JsonObject status = client.getJson("/v1/status");
      JsonObject cluster = client.getJson("/v1/cluster");
      MetricsReading now = MetricsReading.of(client.getText("/metrics"));
      long nowNanos = System.nanoTime();
      long uptime = status.get("uptime_ms").getAsLong();
      MetricsReading last = before;
      boolean isFirst = last == null || uptime < uptimeMillis; // or it was started again
      double seconds =
          isFirst
              ? Math.max(1, uptime) / (double) TimeUnit.SECONDS.toMillis(1)
              : (nowNanos - beforeNanos) / NANOS;
      TopFrame frame =
          new TopFrame(
              status,
              cluster,
              isFirst || last == null ? MetricsReading.none() : last,
              now,
              seconds);
      before = now;
      beforeNanos = nowNanos;
      uptimeMillis = uptime;
      return frame;
    }

    /** A server that is started again must not end the page. */
    List<String> nextPage() throws IOException, InterruptedException {
      try {
        return next().lines();
      } catch (UnreachableException down) {
        return List.of(String.valueOf(down.getMessage()));
      }
    }
  }
}
