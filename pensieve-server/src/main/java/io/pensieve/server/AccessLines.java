package io.pensieve.server;

import com.google.gson.stream.JsonWriter;
import io.pensieve.server.http.AccessLog;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Writes a JSON object a line for each answer, on a thread of its own. Where the lines cannot be
 * written as fast as answers come, lines are left out, and one says how many: clients do not wait
 * for a log.
 */
final class AccessLines implements AccessLog, AutoCloseable {
  private static final int WAITING_MAX = 1 << 13;
  private static final long CLOSE_SECONDS = 5;
  private static final long POLL_MILLIS = 200;
  private static final long NANOS_PER_MICRO = 1_000;

  private final BlockingQueue<Answered> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
  private final LongAdder leftOut = new LongAdder();
  private final Writer lines;
  private final PrintStream err;
  private final Thread thread = new Thread(this::run, "pensieve-access-log");
  private volatile boolean closing;

  /**
   * Lines for this writer, which is closed in the end.
   *
   * @param err is told once if the lines cannot be written
   */
  AccessLines(Writer lines, PrintStream err) {
    this.lines = new BufferedWriter(lines);
    this.err = err;
    thread.setDaemon(true);
  }

  /** Begins to write. Until then answers wait, as many as there is room for. */
  AccessLines start() {
    thread.start();
    return this;
  }

  @Override
  public void answered(Answered answer) {
    if (!waiting.offer(answer)) {
      leftOut.increment();
    }
  }

  private void run() {
    try (lines) {
      while (!closing || !waiting.isEmpty()) {
        writeNext(waiting.poll(POLL_MILLIS, TimeUnit.MILLISECONDS));
      }
    } catch (IOException broken) {
      err.println(Main.NAME + ": the access log ends here: " + broken.getMessage());
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  private void writeNext(@Nullable Answered answer) throws IOException {
    if (answer != null) {
      lines.write(line(answer));
    }
    long missing = leftOut.sumThenReset();
    if (missing > 0) {
      lines.write("{\"left_out\":" + missing + "}\n");
    }
    if (waiting.isEmpty()) {
      lines.flush();
    }
  }

  private static String line(Answered answer) {
    StringWriter text = new StringWriter();
    JsonWriter json = new JsonWriter(text);
    json.setHtmlSafe(false);
    try {
      json.beginObject();
      json.name("time").value(answer.time().toString());
      json.name("method").value(answer.method());
      json.name("route").value(answer.route());
      json.name("status").value(answer.status());
      json.name("bytes").value(answer.bytes());
      json.name("micros").value(answer.nanos() / NANOS_PER_MICRO);
      json.name("remote").value(answer.remote().getAddress().getHostAddress());
      json.endObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return text.append('\n').toString();
  }

  /** Writes what waits, and ends. */
  @Override
  public void close() {
    closing = true;
    try {
      thread.join(TimeUnit.SECONDS.toMillis(CLOSE_SECONDS));
    } catch (InterruptedException hurry) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
