package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What ran starts again: processes with a small heap that is nearly full of values of random sizes,
 * killed by SIGKILL in the midst of their puts. A ring takes half of that heap here, and a value a
 * tenth.
 */
@Tag(Depth.TAG)
class RecoveryMemoryTest {
  private static final int LIVES = Depth.of(1, 4, 60);
  private static final int ENTRY_BYTES_MAX = 12 << 20;
  private static final int VALUE_BYTES_MAX = 6 << 20;
  private static final long WEIGHT = 24 << 20;
  private static final int KEYS = 97;

  private final Path folder;
  private final Random random;
  private final long seed;
  private long acknowledged = -1;
  private boolean opened;

  RecoveryMemoryTest(@TempDir Path folder) {
    this.folder = folder;
    this.seed = Seed.printed(RecoveryMemoryTest.class);
    this.random = new Random(seed);
  }

  /** A life that goes on with this number, and is killed after so many puts, if it opens. */
  private void live(String heap, long weight, long next, int puts)
      throws IOException, InterruptedException {
    opened = false;
    KilledProcess.run(
        Child.class,
        List.of(heap),
        List.of(folder.toString(), "" + weight, "" + acknowledged, "" + next),
        line -> line == puts,
        (what, count) -> {
          opened |= what.equals("opened");
          acknowledged = Math.max(acknowledged, count);
        });
    assertTrue(opened, "it opens in " + heap + ", -Dpensieve.seed=" + seed);
  }

  @Test
  void whatRanStartsAgainInTheSameHeap() throws Exception {
    for (int life = 0; life < LIVES; life++) {
      live("-Xmx64m", WEIGHT, 1000L * life, 20 + random.nextInt(120));
    }
    live("-Xmx64m", WEIGHT, 1000L * LIVES, 1);
  }

  @Test
  void aSmallerBoundNeedsASmallerHeapToOpen() throws Exception {
    live("-Xmx256m", 5 * WEIGHT, 0, 400);
    live("-Xmx64m", WEIGHT, 1000, 1);
    live("-Xmx64m", WEIGHT, 2000, 1);
  }

  /** The process that is killed. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) {
      Pensieve<String, byte[]> map =
          Pensieve.<String, byte[]>builder()
              .maximumWeight(Long.parseLong(args[1]), (key, value) -> value.length)
              .log(
                  FileLog.at(Path.of(args[0]), Codec.utf8(), Codec.bytes())
                      .durability(Durability.PROCESS_DEATH)
                      .maximumEntryBytes(ENTRY_BYTES_MAX))
              .open();
      check(map, Long.parseLong(args[2]));
      System.out.println("opened -1 .");
      for (long count = Long.parseLong(args[3]); ; count++) {
        map.put(key(count), value(count));
        System.out.println("put " + count + " .");
      }
    }

    private static void check(Pensieve<String, byte[]> map, long acknowledged) {
      List<String> keys = new ArrayList<>(map.keySet());
      for (String key : keys) {
        byte[] value = map.getOrDefault(key, new byte[0]);
        long count = ByteBuffer.wrap(value).getLong();
        require(key.equals(key(count)), key);
        require(bytes(count) == value.length, key);
        require((byte) count == value[value.length - 1], key);
      }
      if (acknowledged >= 0) {
        // Put last but for what was not acknowledged: whatever has been evicted, this is there.
        byte[] last = map.getOrDefault(key(acknowledged), new byte[Long.BYTES]);
        long found = ByteBuffer.wrap(last).getLong();
        require(found >= acknowledged, acknowledged + " was acknowledged, found " + found);
      }
    }

    private static void require(boolean holds, String what) {
      if (!holds) {
        throw new IllegalStateException(what);
      }
    }

    private static String key(long count) {
      return "k" + count % KEYS;
    }

    // From some bytes to some MiB, any power of two as often as another.
    private static int bytes(long count) {
      double power = new SplittableRandom(count).nextDouble(4, Math.log(VALUE_BYTES_MAX));
      return (int) Math.exp(power);
    }

    private static byte[] value(long count) {
      byte[] value = new byte[bytes(count)];
      value[value.length - 1] = (byte) count;
      ByteBuffer.wrap(value).putLong(count);
      return value;
    }
  }
}
