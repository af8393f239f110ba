package io.pensieve.log.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;

/** Changes to a log's folder that a reader must cope with. They never change an array in place. */
final class FolderMutation {
  private static final int HEADER_CRC_AT = 20;
  private static final int HEADER_CRC_END = 64;
  private static final int SALT_AT = 40;
  private static final long[] ODD = {
    0,
    1,
    7,
    8,
    31,
    32,
    -1,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    Format.FRAME_BYTES_MAX,
    1L << 40,
    4096
  };

  private FolderMutation() {}

  /** Changes something, and answers what. */
  static String mutate(Map<Path, byte[]> files, Random random) {
    if (files.isEmpty()) {
      return "nothing left";
    }
    List<Path> names = new ArrayList<>(files.keySet());
    Path name = names.get(random.nextInt(names.size()));
    Path other = names.get(random.nextInt(names.size()));
    byte[] bytes = files.getOrDefault(name, new byte[0]).clone();
    int kind = random.nextInt(10);
    switch (kind) {
      case 0 -> files.remove(name);
      case 1 -> files.put(odd(name, random), bytes);
      case 2 -> files.put(name, files.getOrDefault(other, new byte[0]));
      case 3 -> files.put(name, Arrays.copyOf(bytes, random.nextInt(bytes.length + 100)));
      case 4 -> files.put(name, spliced(bytes, files.getOrDefault(other, new byte[0]), random));
      case 5 -> files.put(name, changed(bytes, random));
      case 6, 7 -> files.put(name, withOddHeader(bytes, random));
      default -> files.put(name, withOddFrame(bytes, random));
    }
    return "mutation " + kind + " of " + name + " with " + other;
  }

  private static Path odd(Path name, Random random) {
    String suffix = random.nextBoolean() ? ".log" : ".base";
    long position = random.nextBoolean() ? random.nextInt(5000) & -8 : random.nextLong();
    return name.resolveSibling(
        random.nextInt(8) == 0 ? "ring" : String.format("%016x", position) + suffix);
  }

  private static byte[] spliced(byte[] bytes, byte[] other, Random random) {
    if (bytes.length == 0 || other.length == 0) {
      return bytes;
    }
    int from = random.nextInt(other.length) & -8;
    int at = random.nextInt(bytes.length) & -8;
    int count = Math.min(random.nextInt(2000), Math.min(other.length - from, bytes.length - at));
    System.arraycopy(other, from, bytes, at, count);
    return bytes;
  }

  private static byte[] changed(byte[] bytes, Random random) {
    for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    return bytes;
  }

  private static ByteBuffer words(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static long oddWord(long before, Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> ODD[random.nextInt(ODD.length)];
      case 1 -> before + 8L * (random.nextInt(65) - 32);
      default -> before ^ (1L << random.nextInt(Long.SIZE));
    };
  }

  private static byte[] withOddHeader(byte[] bytes, Random random) {
    if (bytes.length < FileHeader.BYTES) {
      return bytes;
    }
    int at = 8 * (1 + random.nextInt(10));
    words(bytes).putLong(at, oddWord(words(bytes).getLong(at), random));
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, HEADER_CRC_AT);
    crc.update(bytes, HEADER_CRC_AT + 4, HEADER_CRC_END - HEADER_CRC_AT - 4);
    words(bytes).putInt(HEADER_CRC_AT, (int) crc.getValue());
    return bytes;
  }

  private static byte[] withOddFrame(byte[] bytes, Random random) {
    List<Integer> frames = frames(bytes);
    if (frames.isEmpty()) {
      return bytes;
    }
    int frame = frames.get(random.nextInt(frames.size()));
    boolean isGroup = Format.kind(bytes, frame) == Format.GROUP;
    int words = isGroup ? Format.align(Format.length(bytes, frame)) / 4 : 11;
    int at = frame + 4 * random.nextInt(words); // the header, and what follows
    if (at + Integer.BYTES <= bytes.length) {
      words(bytes).putInt(at, (int) oddWord(words(bytes).getInt(at), random));
      makeChecksumRight(bytes, frame);
    }
    return bytes;
  }

  // As far as lengths lead from one frame to the next.
  private static List<Integer> frames(byte[] bytes) {
    List<Integer> frames = new ArrayList<>();
    int at = FileHeader.BYTES;
    while (bytes.length - at >= Format.FRAME_HEADER_BYTES) {
      int length = Format.length(bytes, at);
      boolean isFrame = Format.lengthIsPossible(length, bytes.length - at);
      if (isFrame) {
        frames.add(at);
      }
      at += isFrame ? Format.align(length) : Format.FRAME_ALIGNMENT;
    }
    return frames;
  }

  private static void makeChecksumRight(byte[] bytes, int frame) {
    int length = Format.length(bytes, frame);
    if (Format.lengthIsPossible(length, bytes.length - frame)) {
      long salt = words(bytes).getLong(SALT_AT);
      int crc = new Format.Checksum(salt).of(bytes, frame, length);
      words(bytes).putInt(frame + Integer.BYTES, crc);
    }
  }
}
