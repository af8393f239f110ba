package io.pensieve.server.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Whoever tells something never waits for whoever reads it. */
final class AsyncOutputStreamTest {
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  @Test
  void linesAreWrittenInOrder() {
    AsyncOutputStream output = new AsyncOutputStream(new PrintStream(written, true));
    PrintStream lines = output.lines();
    lines.println("one");
    lines.println("two");
    assertTrue(output.awaitWritten(Duration.ofMinutes(2)));
    assertEquals(List.of("one", "two"), text().lines().toList());
    output.close();
  }

  @Test
  void aStreamThatIsNotReadHoldsNobodyUpAndWhatIsLeftOutIsCounted() {
    CountDownLatch read = new CountDownLatch(1);
    PrintStream blocked =
        new PrintStream(written, true) {
          @Override
          public void write(byte[] bytes, int offset, int length) {
            try {
              read.await();
            } catch (InterruptedException ended) {
              Thread.currentThread().interrupt();
            }
            super.write(bytes, offset, length);
          }
        };
    AsyncOutputStream output = new AsyncOutputStream(blocked);
    PrintStream lines = output.lines();
    for (int i = 0; i < 10_000; i++) {
      lines.println("line");
    }
    assertFalse(output.awaitWritten(Duration.ofMillis(1)));
    read.countDown();
    assertTrue(output.awaitWritten(Duration.ofMinutes(2)));
    long there = text().lines().filter(line -> line.equals("line")).count();
    String leftOut = (10_000 - there) + " lines were left out";
    lines.println("end");
    assertTrue(output.awaitWritten(Duration.ofMinutes(2)));
    assertTrue(text().contains(leftOut), () -> leftOut + " is not in the end of " + text());
    output.close();
  }

  private String text() {
    return written.toString(Charset.defaultCharset());
  }
}
