package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.AccessLog.Answered;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The lines of the access log. */
class AccessLinesTest {
  private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
  private final PrintStream err = new PrintStream(errors, true, StandardCharsets.UTF_8);

  @Test
  void anAnswerIsALineOfJson() {
    StringWriter written = new StringWriter();
    try (AccessLines lines = new AccessLines(written, err).start()) {
      lines.answered(answer(200));
    }
    assertEquals(
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"method\":\"GET\",\"route\":\"/get/{key}\","
            + "\"status\":200,\"bytes\":13,\"micros\":42,\"remote\":\"127.0.0.1\"}\n",
        written.toString());
  }

  @Test
  void everyAnswerIsALineOrCountedAsLeftOut() {
    StringWriter written = new StringWriter();
    AccessLines lines = new AccessLines(written, err);
    for (int i = 0; i < 10_000; i++) {
      lines.answered(answer(200));
    }
    lines.start().close();
    List<String> all = written.toString().lines().toList();
    List<String> leftOut = all.stream().filter(line -> line.contains("left_out")).toList();
    assertEquals(List.of("{\"left_out\":" + (10_000 - (all.size() - 1)) + "}"), leftOut);
  }

  @Test
  void aLogThatCannotBeWrittenIsToldOnce() {
    try (AccessLines lines = new AccessLines(new Full(), err).start()) {
      for (int i = 0; i < 20_000; i++) {
        lines.answered(answer(200));
      }
    }
    String told = errors.toString(StandardCharsets.UTF_8);
    assertTrue(told.contains("the access log ends here: no room"), told);
    assertEquals(1, told.lines().count());
  }

  private static Answered answer(int status) {
    return new Answered(
        Instant.parse("2026-01-02T03:04:05.678Z"),
        "GET",
        "/get/{key}",
        status,
        13,
        42_900,
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 1));
  }

  private static final class Full extends Writer {
    @Override
    public void write(char[] text, int offset, int length) throws IOException {
      throw new IOException("no room");
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
