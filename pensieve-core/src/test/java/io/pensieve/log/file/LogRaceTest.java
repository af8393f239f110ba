package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.Race;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.testing.Depth;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a writer and the log writer see of each other, as races of the two that are run many times.
 */
@Timeout(600)
@Tag(Depth.TAG)
class LogRaceTest {
  private static final int RACES = Depth.of(10_000, 200_000, 20_000_000);
  private static final Change<String, String> PUT = new Change.Put<>("key", "7".repeat(100));
  private static final byte[] BODY = ("key" + "7".repeat(100)).getBytes(StandardCharsets.UTF_8);
  private static final int FRAME_BYTES = Format.align(Format.FRAME_HEADER_BYTES + BODY.length);
  private static final int CAPACITY = 1 << 16;

  private final RingBuffer ring =
      new RingBuffer(
          ByteBuffer.allocateDirect(FileHeader.BYTES + CAPACITY).order(ByteOrder.LITTLE_ENDIAN),
          CAPACITY,
          0,
          0);

  /** Room in the ring, into which one thread writes a frame while the other looks for it. */
  private final class RingRace {
    final long position = ring.tryClaim(FRAME_BYTES);
    String seen = "no frame";

    void write() {
      ring.write(position, 0, FrameEncoder.of(PUT, Codec.utf8(), Codec.utf8()));
    }

    void look() {
      if (ring.committedBytes(position) != 0) {
        seen = isWhole() ? "a whole frame" : "a part of a frame";
      }
    }

    private boolean isWhole() {
      byte[] frame = new byte[FRAME_BYTES];
      int copied = 0;
      for (ByteBuffer slice : ring.slices(position, position + FRAME_BYTES)) {
        int bytes = slice.remaining();
        slice.get(frame, copied, bytes);
        copied += bytes;
      }
      int end = Format.FRAME_HEADER_BYTES + BODY.length;
      return Arrays.equals(frame, Format.FRAME_HEADER_BYTES, end, BODY, 0, BODY.length);
    }

    String told() {
      ring.release(position, position + FRAME_BYTES);
      return seen;
    }
  }

  @Test
  void aFrameThatIsCommittedIsWhole() throws Exception {
    assertOutcomes(
        Set.of("no frame", "a whole frame"),
        Race.outcomes(RACES, RingRace::new, RingRace::write, RingRace::look, RingRace::told));
  }

  @Test
  void whatIsCommittedStaysSoWhileItsRoomIsGivenBack() throws Exception {
    AtomicLong committed = new AtomicLong();
    AtomicBoolean over = new AtomicBoolean();
    FutureTask<Integer> looking =
        new FutureTask<>(
            () -> {
              int missed = 0;
              while (!over.get()) {
                long before = committed.get();
                missed += ring.committedPrefix() < before ? 1 : 0;
              }
              return missed;
            });
    new Thread(looking).start();
    try {
      for (int round = 0; round < RACES / 20; round++) {
        long first = committed.get();
        for (long end = first; end - first <= CAPACITY - FRAME_BYTES; ) {
          new RingRace().write();
          end += FRAME_BYTES;
          committed.set(end);
        }
        ring.release(first, committed.get());
      }
    } finally {
      over.set(true);
    }
    assertEquals(0, looking.get(), "looks that found less than was there before");
  }

  /** Somebody who waits for a sequence while the log writer makes it durable, or fails. */
  private static final class WaiterRace {
    final FutureCompleter completer = new FutureCompleter(Runnable::run);
    final DurablePosition durablePosition = new DurablePosition(0, completer);
    CompletableFuture<Void> durable = new CompletableFuture<>();

    void await() {
      durable = durablePosition.whenReached(1, () -> {});
    }

    void fail() {
      durablePosition.fail(new LogException.Failed("the disk is gone", null));
      durablePosition.wakeReached();
    }

    String told() {
      completer.drain();
      if (durable.isCompletedExceptionally()) {
        return "told of the failure";
      }
      return durable.isDone() ? "told that it is durable" : "told nothing";
    }
  }

  @Test
  void whoWaitsIsToldWheneverTheForceComes() throws Exception {
    assertOutcomes(
        Set.of("told that it is durable"),
        Race.outcomes(
            RACES,
            WaiterRace::new,
            WaiterRace::await,
            state -> state.durablePosition.publish(1),
            WaiterRace::told));
  }

  @Test
  void whoWaitsIsToldWheneverTheLogFails() throws Exception {
    assertOutcomes(
        Set.of("told of the failure"),
        Race.outcomes(
            RACES, WaiterRace::new, WaiterRace::await, WaiterRace::fail, WaiterRace::told));
  }

  private static void assertOutcomes(Set<String> allowed, Map<String, Integer> counted) {
    System.out.println("LogRaceTest: " + counted);
    Set<String> forbidden = new TreeSet<>(counted.keySet());
    forbidden.removeAll(allowed);
    assertEquals(Set.of(), forbidden, counted::toString);
  }
}
