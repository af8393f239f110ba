package io.pensieve.log.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/** A file of a simulated disk: what can be read, and what a power cut would leave. */
final class SimulatedFile {
  // Copies share the arrays: whoever writes to a shared one takes an array of its own first.
  // A sector whose two versions differ is dirty, or lost: no force writes it any more.

  static final int SECTOR_BYTES = 512;

  // Direct memory is dear to get. It is never given back while a file is mapped. All threads share
  // it, because one maps a file and another one may unmap it.
  private static final Deque<ByteBuffer> MEMORY = new ConcurrentLinkedDeque<>();

  private String name; // the last one
  private byte[] bytes = {};
  private byte[] forced = {};
  private boolean bytesAreShared;
  private boolean forcedIsShared;
  private BitSet lost = new BitSet(); // sectors
  private @Nullable ByteBuffer memory;

  SimulatedFile(Path path) {
    this(String.valueOf(path.getFileName()));
  }

  private SimulatedFile(String name) {
    this.name = name;
  }

  static SimulatedFile of(Path path, byte[] content) {
    SimulatedFile file = new SimulatedFile(path);
    file.bytes = content;
    file.forced = content;
    file.bytesAreShared = true;
    file.forcedIsShared = true;
    return file;
  }

  SimulatedFile copy() {
    SimulatedFile copy = new SimulatedFile(name);
    copy.bytes = current();
    copy.forced = forced;
    bytesAreShared = true;
    forcedIsShared = true;
    copy.bytesAreShared = true;
    copy.forcedIsShared = true;
    copy.lost = (BitSet) lost.clone();
    return copy;
  }

  String name() {
    return name;
  }

  void name(Path path) {
    name = String.valueOf(path.getFileName());
  }

  int size() {
    return bytes.length;
  }

  /** What can be read now; not to be written to. */
  byte[] current() {
    ByteBuffer mapped = memory;
    if (mapped != null && mapped.mismatch(ByteBuffer.wrap(bytes)) >= 0) {
      own(bytes.length);
      mapped.get(0, bytes);
    }
    return bytes;
  }

  private void own(int length) {
    if (bytesAreShared || bytes.length != length) {
      bytes = Arrays.copyOf(bytes, length);
      bytesAreShared = false;
    }
  }

  private void ownForced(int length) {
    if (forcedIsShared || forced.length != length) {
      forced = Arrays.copyOf(forced, length);
      forcedIsShared = false;
    }
  }

  ByteBuffer memory() {
    ByteBuffer mapped = memory;
    if (mapped == null) {
      throw new AssertionError("not mapped");
    }
    return mapped;
  }

  void write(ByteBuffer from, int position) {
    int count = from.remaining();
    if (count > 0) {
      own(Math.max(bytes.length, position + count));
      from.get(bytes, position, count);
      lost.clear(position / SECTOR_BYTES, (position + count - 1) / SECTOR_BYTES + 1);
    }
  }

  void truncate(int length) {
    if (length < bytes.length) {
      own(length);
    }
  }

  void force() {
    byte[] now = current();
    if (lost.isEmpty()) {
      forced = now;
      forcedIsShared = true;
      bytesAreShared = true;
      return;
    }
    ownForced(now.length);
    for (int sector = 0; sector * SECTOR_BYTES < now.length; sector++) {
      if (!lost.get(sector)) {
        copySector(sector, now, forced);
      }
    }
  }

  /** A force has failed: what it was to write can still be read, but no later one writes it. */
  void loseUnforced() {
    byte[] now = current();
    for (int sector = 0; sector * SECTOR_BYTES < now.length; sector++) {
      if (isDirty(sector, now)) {
        lost.set(sector);
      }
    }
  }

  private boolean isDirty(int sector, byte[] now) {
    int from = sector * SECTOR_BYTES;
    int to = Math.min(now.length, from + SECTOR_BYTES);
    return to > forced.length || !Arrays.equals(now, from, to, forced, from, to);
  }

  private static void copySector(int sector, byte[] from, byte[] to) {
    int at = sector * SECTOR_BYTES;
    int count = Math.min(SECTOR_BYTES, Math.min(from.length, to.length) - at);
    if (count > 0) {
      System.arraycopy(from, at, to, at, count);
    }
  }

  /** Some dirty sectors are forced unasked. */
  void writeBack(Random random) {
    byte[] now = current();
    if (now == forced) {
      return;
    }
    for (int sector = 0; sector * SECTOR_BYTES < now.length; sector++) {
      if (random.nextInt(4) == 0 && !lost.get(sector) && isDirty(sector, now)) {
        ownForced(Math.max(forced.length, Math.min(now.length, (sector + 1) * SECTOR_BYTES)));
        copySector(sector, now, forced);
      }
    }
  }

  /** Some of what a failed force did not write can no longer be read either. */
  void dropLostSectors(Random random) {
    for (int sector = lost.nextSetBit(0); sector >= 0; sector = lost.nextSetBit(sector + 1)) {
      if (random.nextBoolean()) {
        own(bytes.length);
        int at = sector * SECTOR_BYTES;
        Arrays.fill(bytes, at, Math.min(bytes.length, at + SECTOR_BYTES), (byte) 0);
        copySector(sector, forced, bytes);
      }
    }
  }

  /** Of what was not forced, some sectors survive, and some in part. */
  void cutPower(Random random) {
    byte[] written = bytes;
    if (written != forced) {
      int length = random.nextBoolean() ? written.length : forced.length;
      byte[] survivors = Arrays.copyOf(forced, length);
      int keepOneIn = 1 + random.nextInt(4);
      for (int sector = 0; sector * SECTOR_BYTES < Math.min(written.length, length); sector++) {
        if (!lost.get(sector) && random.nextInt(keepOneIn) == 0) {
          boolean isTorn = random.nextInt(16) == 0;
          copySector(sector, isTorn ? torn(sector, written, survivors) : written, survivors);
        }
      }
      bytes = survivors;
    }
    forced = bytes;
    bytesAreShared = true;
    forcedIsShared = true;
    lost.clear();
  }

  // The old sector, but for the new one's first bytes.
  private static byte[] torn(int sector, byte[] written, byte[] old) {
    byte[] torn = old.clone();
    int at = sector * SECTOR_BYTES;
    int count = Math.min(SECTOR_BYTES / 3, Math.min(written.length, old.length) - at);
    System.arraycopy(written, at, torn, at, count);
    return torn;
  }

  ByteBuffer map(int count) {
    ByteBuffer mapped = MEMORY.poll();
    if (mapped == null || mapped.capacity() != count) {
      mapped = ByteBuffer.allocateDirect(count).order(ByteOrder.LITTLE_ENDIAN);
    }
    mapped.put(0, bytes, 0, count);
    memory = mapped;
    return mapped;
  }

  void unmap() {
    ByteBuffer mapped = memory;
    if (mapped != null) {
      current();
      memory = null;
      MEMORY.push(mapped);
    }
  }
}
