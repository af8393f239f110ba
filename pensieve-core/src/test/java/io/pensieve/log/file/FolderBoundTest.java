package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.file.SimulatedLog.Event;
import io.pensieve.testing.Depth;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * How large a folder gets under writers that are much faster than compactions. All sizes are a 64th
 * of the real ones.
 */
@Tag(Depth.TAG)
class FolderBoundTest {
  private static final int TURNS = Depth.of(3, 8, 8); // of what is overwritten
  private static final long SPARE_BYTES = (32 << 20) / 64; // ring and segments
  private static final long LOG_BYTES_MAX = (96 << 20) / 64;
  private static final int RING_BYTES = (8 << 20) / 64;
  private static final int SEGMENT_BYTES = (8 << 20) / 64;
  private static final int BATCH_BYTES = (1 << 20) / 64;
  private static final int VALUE_BYTES = 200;
  private static final int FRAME_BYTES = Format.align(Format.FRAME_HEADER_BYTES + 8 + VALUE_BYTES);
  private static final Path FOLDER = Path.of("log");

  /** A log whose other threads work only when a writer waits, or now and then. */
  private static final class OverwrittenLog {
    private final SimulatedDisk disk = new SimulatedDisk();
    private final LiveModel map = new LiveModel();
    private final Random random = new Random(5);
    private final FileLog<String, String> log;
    private @Nullable LogWriter logWriter;
    private @Nullable Compactor<?, ?> compactor;
    private final boolean isHeldBack;
    private final long logBytesMax;
    private boolean othersWork;
    private long nanos;
    private long nanosMax = Long.MAX_VALUE;
    private long bytesMax;

    OverwrittenLog(Durability durability, long logBytesMax, long heldBytesPerSecond) {
      this(durability, logBytesMax, heldBytesPerSecond, null);
    }

    OverwrittenLog(
        Durability durability,
        long logBytesMax,
        long heldBytesPerSecond,
        @Nullable LiveEntries<String, String> otherMap) {
      this.logBytesMax = logBytesMax;
      isHeldBack = heldBytesPerSecond < Long.MAX_VALUE;
      log =
          FileLog.open(
              disk,
              FOLDER,
              Codec.utf8(),
              Codec.utf8(),
              new LogSettings(
                  end -> end,
                  durability,
                  RING_BYTES,
                  RING_BYTES / 2,
                  SEGMENT_BYTES,
                  0,
                  new LogSettings.Compaction(
                      logBytesMax, BATCH_BYTES, 1L << 40, heldBytesPerSecond),
                  ReplayPipeline.Settings.ofThreads(1)),
              new LogThreads(
                  work -> logWriter = (LogWriter) work,
                  Runnable::run,
                  work -> {},
                  work -> compactor = (Compactor<?, ?>) work,
                  this::askTheTime));
      log.replay(Replayed.inOrder());
      log.attach(otherMap == null ? map : otherMap);
    }

    // Only a writer that waits, and the others themselves, ask for the time. (A writer that need
    // not wait asks once, and that is not to help anybody.)
    private long askTheTime() {
      nanos += 20_000;
      assertTrue(nanos < nanosMax, "somebody waits");
      if (compactor != null && !othersWork && isHeldBack) {
        letOthersWork();
      }
      return nanos;
    }

    private void letOthersWork() {
      othersWork = true;
      if (logWriter != null && compactor != null) {
        while (logWriter.step()) {
          bytesMax = Math.max(bytesMax, disk.bytes());
        }
        compactor.step();
      }
      bytesMax = Math.max(bytesMax, disk.bytes());
      othersWork = false;
    }

    void put(String key) {
      Change<String, String> put = new Change.Put<>(key, "x".repeat(VALUE_BYTES), Change.NEVER);
      map.apply(new Event(log.append(put), put));
      log.throttle();
    }

    void overwrite(int entries, long bytes) {
      for (long i = 0; i * FRAME_BYTES < bytes; i++) {
        put("k" + (1_000_000 + (i < entries ? i : random.nextInt(entries))));
        if (i % (RING_BYTES / 2 / FRAME_BYTES) == 0) {
          letOthersWork();
        }
      }
    }

    // Each file has a page that is no entry's.
    long boundBytes(int entries) {
      long live = (long) entries * FRAME_BYTES;
      long files = 2L * disk.contents().size() + 2L * live / SEGMENT_BYTES;
      return Math.max(2 * live + logBytesMax, 3 * live - 2 * logBytesMax / 3)
          + SPARE_BYTES
          + files * FileHeader.BYTES;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PROCESS_DEATH, 100", "PROCESS_DEATH, 8000", "PROCESS_DEATH, 14000",
    "POWER_CUT, 100", "POWER_CUT, 8000", "POWER_CUT, 14000"
  })
  void aFolderIsAtMostTwiceItsEntriesAnd128MebibytesOrThreeTimesItsEntries(
      Durability durability, int entries) {
    assertBounded(durability, entries, LOG_BYTES_MAX);
  }

  @ParameterizedTest
  @CsvSource({"PROCESS_DEATH, 32", "PROCESS_DEATH, 400", "POWER_CUT, 400"})
  void aFolderKeepsTheBoundThatItsUserChooses(Durability durability, int logMebibytesMax) {
    assertBounded(durability, 8000, ((long) logMebibytesMax << 20) / 64);
  }

  private static void assertBounded(Durability durability, int entries, long logBytesMax) {
    OverwrittenLog log = new OverwrittenLog(durability, logBytesMax, 1 << 20);
    log.overwrite(entries, TURNS * Math.max(logBytesMax, (long) entries * FRAME_BYTES));
    long bound = log.boundBytes(entries);
    assertTrue(log.bytesMax <= bound, () -> log.bytesMax + " bytes, " + bound + " allowed");
    assertTrue(log.log.statistics().compactions() >= 3, () -> "" + log.log.statistics());
  }

  @Test
  void writersThatAreNotHeldBackOutrunACompaction() {
    OverwrittenLog log =
        new OverwrittenLog(Durability.PROCESS_DEATH, LOG_BYTES_MAX, Long.MAX_VALUE);
    log.overwrite(8000, 10 * LOG_BYTES_MAX);
    assertTrue(log.bytesMax > log.boundBytes(8000), "else the test above shows nothing");
  }

  @Test
  void whileCompactionsFailNobodyIsHeldBack() {
    LiveEntries<String, String> broken =
        () -> {
          throw new IllegalStateException("no walk today");
        };
    OverwrittenLog log =
        new OverwrittenLog(Durability.PROCESS_DEATH, LOG_BYTES_MAX, 1 << 10, broken);
    log.nanosMax = 1_000_000_000; // five turns
    log.overwrite(100, 3 * LOG_BYTES_MAX);
    LogStatistics statistics = log.log.statistics();
    assertEquals(1, statistics.failedCompactions());
    assertEquals(
        Optional.of("java.lang.IllegalStateException: no walk today"), statistics.lastFailure());
    assertEquals(Duration.ofSeconds(1), statistics.backOff());
  }
}
