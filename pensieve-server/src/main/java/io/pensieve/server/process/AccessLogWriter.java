package io.pensieve.server.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;

import com.google.gson.stream.JsonWriter;
import io.pensieve.server.http.metrics.AccessLog;
import io.pensieve.server.http.metrics.Alarms;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Writes one JSON object per line for each response, on a thread of its own. If it cannot write the
 * lines fast enough, or at all, it drops lines, and a later line says how many. Clients never wait
 * for the log.
 */
public final class AccessLogWriter implements AccessLog, AutoCloseable {
  private static final int WAITING_MAX = 1 << 13;
  private static final long CLOSE_MILLIS = 2_000;
  private static final long POLL_MILLIS = 200;
  private static final long NANOS_PER_MICRO = 1_000;

  /*
   * Only the thread uses the writer, and it may block there: a pipe without a reader blocks when it
   * is opened or written. So only close() waits for the thread, for a limited time.
   *
   * A failed write ends a file, not the log. The thread reopens the file, at first at once and then
   * periodically, until it can write lines. A line is at risk from the moment the thread takes it
   * until it is flushed; a failure counts all lines at risk as left out. So each line is written, or
   * counted, or both.
   */
  private final BlockingQueue<CompletedRequest> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
  private final LongAdder leftOut = new LongAdder();
  private final Target target;
  private final Alarms alarms;
  private final long retryNanos;
  private final Thread thread = new Thread(this::run, "pensieve-access-log");
  private volatile boolean closing;
  private volatile boolean reopening;

  private @Nullable Writer lines; // thread only, like those below
  private long linesAtRisk; // taken from the queue, or counted there, since the last flush
  private boolean failed;
  private long failedNanos;

  /** The destination of the lines. */
  public interface Target {
    /** Opens the destination, or reopens it. */
    Writer open() throws IOException;
  }

  /** Returns a file to which lines are appended. */
  public static Target file(Path file) {
    return () -> Files.newBufferedWriter(file, UTF_8, CREATE, APPEND);
  }

  /**
   * Creates a writer for this target. The thread opens the target when it starts, and closes it at
   * the end.
   *
   * @param retryNanos how long to wait after a failure before reopening
   */
  public AccessLogWriter(Target target, Alarms alarms, long retryNanos) {
    this.target = target;
    this.alarms = alarms;
    this.retryNanos = retryNanos;
    thread.setDaemon(true);
  }

  /** Starts to write. Until then responses wait in the queue, as far as they fit. */
  public AccessLogWriter start() {
    thread.start();
    return this;
  }

  /** Reopens the target before the next line: a file may have been moved away. */
  public void reopen() {
    reopening = true;
  }

  @Override
  public void completed(CompletedRequest answer) {
    if (!waiting.offer(answer)) {
      leftOut.increment();
    }
  }

  private void run() {
    try {
      while (!closing || (!waiting.isEmpty() && !failed)) {
        CompletedRequest next = waiting.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
        linesAtRisk += next == null ? 0 : 1;
        try {
          writeNext(next);
        } catch (IOException broken) {
          fail(String.valueOf(broken.getMessage()));
        }
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    } finally {
      closeLines();
    }
  }

  private void writeNext(@Nullable CompletedRequest answer) throws IOException {
    if (failed && System.nanoTime() - failedNanos < retryNanos) {
      leaveOutLinesAtRisk();
      return;
    }
    Writer to = openLines(answer);
    if (answer != null) {
      to.write(line(answer));
    }
    long missing = leftOut.sumThenReset();
    if (missing > 0) {
      linesAtRisk += missing; // counted again if this line is lost
      to.write("{\"left_out\":" + missing + "}\n");
    }
    if (waiting.isEmpty()) {
      to.flush();
      linesAtRisk = 0;
      failed = false;
      alarms.clear(Alarms.Kind.ACCESS_LOG_FAILED, "");
    }
  }

  private Writer openLines(@Nullable CompletedRequest answer) throws IOException {
    if (reopening) {
      reopening = false;
      Writer before = lines;
      lines = null;
      if (before != null) {
        before.close();
        linesAtRisk = answer == null ? 0 : 1;
      }
    }
    Writer open = lines;
    if (open == null) {
      open = new BufferedWriter(target.open());
      if (failed) {
        open.write('\n'); // ends a partly written line
      }
      lines = open;
    }
    return open;
  }

  private void fail(String reason) {
    leaveOutLinesAtRisk();
    failed = true;
    failedNanos = System.nanoTime();
    closeLines();
    alarms.raise(
        Alarms.Kind.ACCESS_LOG_FAILED, "", reason + "; lines are left out until it can be written");
  }

  private void leaveOutLinesAtRisk() {
    leftOut.add(linesAtRisk);
    linesAtRisk = 0;
  }

  private void closeLines() {
    Writer open = lines;
    lines = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException lost) {
        // Its lines are counted as left out, or the writer is closing.
      }
    }
  }

  private static String line(CompletedRequest answer) {
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

  /** Writes the queued lines, and ends. Waits only for a limited time if they cannot be written. */
  @Override
  public void close() {
    closing = true;
    try {
      thread.join(CLOSE_MILLIS);
    } catch (InterruptedException hurry) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
