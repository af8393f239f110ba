package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import io.pensieve.testing.Depth;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Room of the ring that is claimed, and what becomes of it when an append ends badly. */
@Timeout(120)
@Tag(Depth.TAG)
class RingClaimTest {
  private static Change<String, String> put(String key, String value) {
    return new Change.Put<>(key, value, Change.NEVER);
  }

  private static ReplayHandler<String, byte[]> into(Map<String, byte[]> found) {
    return new ReplayHandler<>() {
      @Override
      public void progress(long bytesRead, long bytesTotal) {}

      @Override
      public void entry(Change.Put<String, byte[]> put, long version, long stamp) {
        found.put(put.key(), put.value());
      }

      @Override
      public void change(long sequence, Change<String, byte[]> change) {
        if (change instanceof Change.Put<String, byte[]> put) {
          found.put(put.key(), put.value());
        }
      }
    };
  }

  @Test
  void aPlaceThatIsGivenUpBecomesPadding() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    log.append(put("a", "1"));
    RingBuffer ring = log.log().openLog().ring();
    RingClaim claim = RingClaim.ofThread();
    claim.bytes = 64;
    claim.ring = ring.number();
    claim.position = ring.tryClaim(64);
    CompletableFuture<Void> behind = log.log().whenDurable(log.append(put("b", "2")).sequence());
    log.step();
    log.step();
    assertFalse(behind.isDone(), "there is a hole before it, which may be filled yet");
    claim.abandoned = true;
    log.step();
    log.step();
    assertTrue(behind.isDone());
    assertFalse(claim.isOpen());
    log.close();
    log.reopen(2, "a place was given up");
  }

  @Test
  void aPlaceOfAThreadThatEndedBecomesPadding() throws Exception {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    RingBuffer ring = log.log().openLog().ring();
    Thread ended =
        new Thread(
            () -> {
              RingClaim claim = RingClaim.ofThread();
              claim.bytes = 32;
              claim.ring = ring.number();
              claim.position = ring.tryClaim(32);
            });
    ended.start();
    ended.join();
    log.append(put("b", "2"));
    log.step();
    log.step();
    log.step();
    assertEquals(ring.end(), ring.released());
    log.close();
    log.reopen(1, "a thread ended in its append");
  }

  @Test
  void aHoleThatStaysFailsTheLogInSeconds() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    log.append(put("a", "1"));
    log.step();
    assertTrue(log.log().openLog().ring().tryClaim(32) > 0, "claimed by nobody who is known");
    CompletableFuture<Void> behind = log.log().whenDurable(log.append(put("b", "2")).sequence());
    int steps = 0;
    for (; log.log().statistics().failure().isEmpty() && steps < 1000; steps++) {
      log.step();
    }
    String failure = log.log().statistics().failure().orElseThrow();
    assertTrue(failure.contains("left a hole in the ring at position"), failure);
    assertTrue(steps * 60 >= 5000 && steps * 60 < 7000, steps + " steps of 60 ms");
    assertTrue(behind.isCompletedExceptionally());
    assertThrows(LogException.Failed.class, () -> log.append(put("c", "3")));
    assertThrows(LogException.Failed.class, log::close);
  }

  /** Appends at every depth of the stack until there is none left, again and again. */
  @Test
  void aStackThatOverflowsInAnAppendLeavesNoHole(@TempDir Path folder) throws Exception {
    List<String> appended = new ArrayList<>();
    FileLog<String, String> log = WriterFaultTest.open(folder, LogThreads.daemons());
    for (int round = 0; round < Depth.of(10, 10, 300); round++) {
      int each = round;
      Thread deep =
          new Thread(
              null, () -> overflow(log, appended, each), "deep", 150_000 + 2_400L * (round % 10));
      deep.start();
      deep.join();
    }
    log.awaitDurable(log.append(put("last", "1")));
    appended.add("last");
    assertEquals(Optional.empty(), log.statistics().refusal());
    log.close();
    // What an Error was thrown for may be there as well: it was on its way back from the commit.
    List<String> told = new ArrayList<>(WriterFaultTest.keysOf(folder));
    told.retainAll(new HashSet<>(appended));
    assertEquals(appended, told);
  }

  private static void overflow(FileLog<String, String> log, List<String> appended, int round) {
    for (int i = 0; i < 5; i++) {
      try {
        descend(log, appended, round + "." + i + ".", 0);
      } catch (StackOverflowError intended) {
        // That is what it is about.
      }
    }
  }

  @SuppressWarnings("InfiniteRecursion") // that is the point of it
  private static void descend(
      FileLog<String, String> log, List<String> appended, String prefix, int depth) {
    if (depth % 8 == 0 || depth > 300) {
      String key = prefix + depth;
      log.append(put(key, "x"));
      appended.add(key);
    }
    descend(log, appended, prefix, depth + 1);
  }

  // Bytes that change.

  @ParameterizedTest
  @ValueSource(ints = {1, 183, 184, 8119, 8120, 20_000}) // around the copied pieces
  void theChecksumIsOfTheBytesThatAreWritten(int valueBytes) {
    int capacity = 1 << 16;
    ByteBuffer memory =
        ByteBuffer.allocateDirect(FileHeader.BYTES + capacity).order(ByteOrder.LITTLE_ENDIAN);
    RingBuffer ring = new RingBuffer(memory, capacity, 0, 7);
    byte[] value = new byte[valueBytes];
    FrameEncoder draft =
        FrameEncoder.of(new Change.Put<>("k", value, Change.NEVER), Codec.utf8(), Codec.bytes());
    int bytes = Format.align((int) draft.length());
    value[valueBytes - 1] = 1; // after the encoding, as its owner may at any time
    ring.write(ring.tryClaim(bytes), 0, draft);
    byte[] frame = new byte[bytes];
    int copied = 0;
    for (ByteBuffer slice : ring.slices(0, bytes)) {
      int count = slice.remaining();
      slice.get(frame, copied, count);
      copied += count;
    }
    int length = Format.length(frame, 0);
    assertEquals(Format.checksum(frame, 0), new Format.Checksum(7).of(frame, 0, length));
  }

  @ParameterizedTest
  @ValueSource(ints = {2000, 10_000})
  void anArrayThatChangesDuringItsOwnPutCostsNobodyTheLog(int valueBytes, @TempDir Path folder)
      throws Exception {
    byte[] value = new byte[valueBytes];
    AtomicBoolean over = new AtomicBoolean();
    Thread owner =
        new Thread(
            () -> {
              for (byte i = 0; !over.get(); i++) {
                value[1000] = i;
              }
            });
    owner.start();
    try (FileLog<String, byte[]> log = FileLog.at(folder, Codec.utf8(), Codec.bytes())) {
      log.replay(into(new HashMap<>()));
      log.append(new Change.Put<>("precious", new byte[] {1, 2, 3}, Change.NEVER));
      for (int i = 0; i < Depth.of(10_000, 20_000, 1_000_000); i++) {
        log.append(new Change.Put<>("k", value, Change.NEVER));
      }
    } finally {
      over.set(true);
      owner.join();
    }
    Map<String, byte[]> found = new HashMap<>();
    try (FileLog<String, byte[]> log = FileLog.at(folder, Codec.utf8(), Codec.bytes())) {
      log.replay(into(found));
    }
    assertArrayEquals(new byte[] {1, 2, 3}, found.get("precious"));
  }
}
