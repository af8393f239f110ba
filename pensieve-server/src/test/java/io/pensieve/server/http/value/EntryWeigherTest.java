package io.pensieve.server.http.value;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What entries are said to take of the heap is what they take. */
final class EntryWeigherTest {
  private static final int MIB = 1 << 20;

  private final EntryWeigher weight = new EntryWeigher(new HeapShares(256L * MIB));

  @Test
  @Timeout(120)
  void isNoLessThanWhatEntriesTakeAndNotTwiceThat() throws Exception {
    List<EntryHeapBytes.Sample> samples = EntryHeapBytes.SAMPLES;
    List<Long> measured = inItsOwnJvm();
    assertEquals(samples.size(), measured.size(), measured.toString());
    for (int i = 0; i < samples.size(); i++) {
      EntryHeapBytes.Sample sample = samples.get(i);
      long estimate = weight.weigh(EntryHeapBytes.key(0), sample.value());
      String told = sample + ": measured " + measured.get(i) + ", estimated " + estimate;
      assertTrue(measured.get(i) <= estimate, told);
      assertTrue(estimate < 2 * measured.get(i), told);
    }
  }

  /**
   * In this JVM, objects of other tests would be allocated and freed while the heap is measured.
   */
  private static List<Long> inItsOwnJvm() throws IOException {
    Process process =
        new ProcessBuilder(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-Xmx256m",
                "-XX:+UseSerialGC", // the same on each machine
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path", ""),
                EntryHeapBytes.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      String printed =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      return printed.lines().map(Long::valueOf).toList();
    } finally {
      process.destroyForcibly().onExit().join();
    }
  }

  @Test
  void countsWholeRegionsOfTheHeapForLongValues() {
    assertEquals(MIB / 2 - 17, weight.ofArray(MIB / 2 - 17));
    assertEquals(MIB, weight.ofArray(MIB / 2 - 16));
    assertEquals(MIB, weight.ofArray(MIB - 16));
    assertEquals(2 * MIB, weight.ofArray(MIB)); // its header is in the second one
    assertEquals(32L * MIB, new EntryWeigher(new HeapShares(1L << 40)).ofArray(17 * MIB));
  }
}
