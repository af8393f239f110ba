package io.pensieve.server.backup;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * The header of a file in a tar archive, as POSIX has it (ustar). A size beyond 8 GiB is binary, as
 * GNU tar and all others have it.
 */
record TarHeader(String name, long bytes, long modifiedSeconds) {
  static final int BLOCK_BYTES = 512;

  private static final int NAME_AT = 0;
  private static final int NAME_BYTES = 100;
  private static final int MODE_AT = 100;
  private static final int UID_AT = 108;
  private static final int GID_AT = 116;
  private static final int ID_BYTES = 8;
  private static final int SIZE_AT = 124;
  private static final int MODIFIED_AT = 136;
  private static final int NUMBER_BYTES = 12;
  private static final int CHECKSUM_AT = 148;
  private static final int CHECKSUM_BYTES = 8;
  private static final int TYPE_AT = 156;
  private static final int MAGIC_AT = 257;
  private static final String MAGIC = "ustar";
  private static final String MAGIC_AND_VERSION = "ustar\00000";
  private static final int BINARY = 0x80;
  private static final int MODE = 0600;
  private static final long OCTAL_MAX = (1L << 33) - 1; // 11 octal digits

  byte[] encode() {
    byte[] block = new byte[BLOCK_BYTES];
    put(block, NAME_AT, name);
    octal(block, MODE_AT, ID_BYTES, MODE);
    octal(block, UID_AT, ID_BYTES, 0);
    octal(block, GID_AT, ID_BYTES, 0);
    if (bytes <= OCTAL_MAX) {
      octal(block, SIZE_AT, NUMBER_BYTES, bytes);
    } else {
      block[SIZE_AT] = (byte) BINARY;
      ByteBuffer.wrap(block).putLong(SIZE_AT + NUMBER_BYTES - Long.BYTES, bytes);
    }
    octal(block, MODIFIED_AT, NUMBER_BYTES, modifiedSeconds);
    block[TYPE_AT] = '0';
    put(block, MAGIC_AT, MAGIC_AND_VERSION);
    put(block, CHECKSUM_AT, String.format(Locale.ROOT, "%06o\0 ", checksum(block)));
    return block;
  }

  private static void put(byte[] block, int at, String text) {
    byte[] bytes = text.getBytes(US_ASCII);
    System.arraycopy(bytes, 0, block, at, bytes.length);
  }

  // With leading zeros, and a NUL behind.
  private static void octal(byte[] block, int at, int length, long number) {
    put(block, at, String.format(Locale.ROOT, "%0" + (length - 1) + "o", number));
  }

  // The sum of all bytes, where the checksum itself counts as spaces.
  private static int checksum(byte[] block) {
    int sum = CHECKSUM_BYTES * ' ';
    for (int i = 0; i < BLOCK_BYTES; i++) {
      boolean isChecksum = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_BYTES;
      sum += isChecksum ? 0 : block[i] & 0xFF;
    }
    return sum;
  }

  /** Decodes the header of a regular file; empty if these bytes are none. */
  static Optional<TarHeader> decode(byte[] block) {
    boolean isFile = block[TYPE_AT] == '0' || block[TYPE_AT] == 0;
    boolean isTar = new String(block, MAGIC_AT, MAGIC.length(), US_ASCII).equals(MAGIC);
    if (!isFile || !isTar || number(block, CHECKSUM_AT, CHECKSUM_BYTES) != checksum(block)) {
      return Optional.empty();
    }
    long size = number(block, SIZE_AT, NUMBER_BYTES);
    return size < 0
        ? Optional.empty()
        : Optional.of(
            new TarHeader(
                text(block, NAME_AT, NAME_BYTES), size, number(block, MODIFIED_AT, NUMBER_BYTES)));
  }

  private static String text(byte[] block, int at, int lengthMax) {
    int length = 0;
    while (length < lengthMax && block[at + length] != 0) {
      length++;
    }
    return new String(block, at, length, US_ASCII);
  }

  // Returns -1 for what is no number.
  private static long number(byte[] block, int at, int length) {
    if ((block[at] & BINARY) != 0) {
      return ByteBuffer.wrap(block).getLong(at + length - Long.BYTES);
    }
    try {
      return Long.parseLong(text(block, at, length).strip(), 8);
    } catch (NumberFormatException notOctal) {
      return -1;
    }
  }

  static boolean isEnd(byte[] block) {
    return Arrays.equals(block, new byte[BLOCK_BYTES]);
  }

  /** How many zeros follow a file of this length. */
  static int padding(long bytes) {
    return (int) (-bytes & (BLOCK_BYTES - 1));
  }
}
