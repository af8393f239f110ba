package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The header of a file, in format v1. FORMAT.md draws it.
 *
 * @param kind {@link #SEGMENT}, {@link #RING} or {@link #BASE}
 * @param firstPosition the position of the first frame in the log's stream; for a base, of the
 *     first frame that it does not replace
 * @param previousEnd where the previous segment ends; less than {@code firstPosition} if positions
 *     were skipped after an unclean end
 * @param salt mixed into the CRC of every frame, so that no bytes of another file or of a value
 *     pass for a frame of this file
 * @param capacity for a ring: how many bytes of frames it holds; else 0
 * @param boot for a ring: the boot of the operating system in which it was created; else 0
 * @param appendedIsAcknowledged for a ring: whether a commit to it acknowledges the change, so that
 *     the death of the process must not lose it
 */
record FileHeader(
    short kind,
    long firstPosition,
    long previousEnd,
    long salt,
    long capacity,
    long boot,
    boolean appendedIsAcknowledged) {
  static final short VERSION = 1;

  static final short SEGMENT = 1;
  static final short RING = 2;
  static final short BASE = 3;

  /**
   * The header's length: a page, so that writing a frame never writes the header's sectors again.
   */
  static final int BYTES = 4096;

  private static final long MAGIC =
      ByteBuffer.wrap("PENSIEVE".getBytes(StandardCharsets.US_ASCII))
          .order(ByteOrder.LITTLE_ENDIAN)
          .getLong();

  // A file's header.
  private static final int MAGIC_AT = 0;
  private static final int VERSION_AT = 8;
  private static final int FILE_KIND_AT = 10;
  private static final int INCOMPATIBLE_FLAGS_AT = 12;
  private static final int COMPATIBLE_FLAGS_AT = 16;
  private static final int HEADER_CRC_AT = 20;
  private static final int FIRST_POSITION_AT = 24;
  private static final int PREVIOUS_END_AT = 32;
  private static final int SALT_AT = 40;
  private static final int CAPACITY_AT = 48;
  private static final int BOOT_AT = 56;
  private static final int HEADER_CRC_END = 64;
  static final int RING_WRITTEN_AT = 64;
  static final int RING_WRITTEN_AGAIN_AT = RING_WRITTEN_AT + Long.BYTES;
  static final int RING_FORCED_AT = RING_WRITTEN_AGAIN_AT + Long.BYTES;
  private static final int APPENDED_IS_ACKNOWLEDGED = 1; // a compatible flag

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  static FileHeader segment(long firstPosition, long previousEnd, long salt) {
    return new FileHeader(SEGMENT, firstPosition, previousEnd, salt, 0, 0, false);
  }

  static FileHeader ring(
      long firstPosition, long salt, int capacity, long boot, boolean appendedIsAcknowledged) {
    return new FileHeader(
        RING, firstPosition, firstPosition, salt, capacity, boot, appendedIsAcknowledged);
  }

  static FileHeader base(long firstPosition, long salt) {
    return new FileHeader(BASE, firstPosition, firstPosition, salt, 0, 0, false);
  }

  /** Encodes this header, padded with zeros to its page. */
  byte[] encode() {
    byte[] bytes = new byte[BYTES];
    LONG.set(bytes, MAGIC_AT, MAGIC);
    SHORT.set(bytes, VERSION_AT, VERSION);
    SHORT.set(bytes, FILE_KIND_AT, kind);
    INT.set(bytes, INCOMPATIBLE_FLAGS_AT, 0);
    INT.set(bytes, COMPATIBLE_FLAGS_AT, appendedIsAcknowledged ? APPENDED_IS_ACKNOWLEDGED : 0);
    LONG.set(bytes, FIRST_POSITION_AT, firstPosition);
    LONG.set(bytes, PREVIOUS_END_AT, previousEnd);
    LONG.set(bytes, SALT_AT, salt);
    LONG.set(bytes, CAPACITY_AT, capacity);
    LONG.set(bytes, BOOT_AT, boot);
    INT.set(bytes, HEADER_CRC_AT, headerCrc(bytes));
    return bytes;
  }

  /** Reads a file's header page, or the part of it that exists. */
  static byte[] page(Disk.File file) throws IOException {
    byte[] page = new byte[(int) Math.min(file.size(), BYTES)];
    file.read(ByteBuffer.wrap(page), 0);
    return page;
  }

  /** Decodes and checks the header in these bytes of a file. There may be too few bytes. */
  static FileHeader decode(byte[] bytes, Path file, short kind) {
    if (bytes.length < BYTES) {
      throw new LogException.Corrupt(
          file, bytes.length, "a header of " + BYTES + " bytes", "end of file");
    }
    check(file, MAGIC_AT, "the magic number of a log", MAGIC, (long) LONG.get(bytes, MAGIC_AT));
    check(file, VERSION_AT, "version", VERSION, (short) SHORT.get(bytes, VERSION_AT));
    check(file, HEADER_CRC_AT, "checksum", headerCrc(bytes), (int) INT.get(bytes, HEADER_CRC_AT));
    check(file, FILE_KIND_AT, "kind of file", kind, (short) SHORT.get(bytes, FILE_KIND_AT));
    check(
        file,
        INCOMPATIBLE_FLAGS_AT,
        "features that this version knows",
        0,
        (int) INT.get(bytes, INCOMPATIBLE_FLAGS_AT));
    return new FileHeader(
        kind,
        (long) LONG.get(bytes, FIRST_POSITION_AT),
        (long) LONG.get(bytes, PREVIOUS_END_AT),
        (long) LONG.get(bytes, SALT_AT),
        (long) LONG.get(bytes, CAPACITY_AT),
        (long) LONG.get(bytes, BOOT_AT),
        ((int) INT.get(bytes, COMPATIBLE_FLAGS_AT) & APPENDED_IS_ACKNOWLEDGED) != 0);
  }

  /** Whether these bytes are an undamaged header, also of another version or kind. */
  static boolean isIntact(byte[] page) {
    return page.length == BYTES
        && (long) LONG.get(page, MAGIC_AT) == MAGIC
        && (int) INT.get(page, HEADER_CRC_AT) == headerCrc(page);
  }

  /** The salt in a whole page, whether or not the header is damaged. */
  static long salt(byte[] page) {
    return (long) LONG.get(page, SALT_AT);
  }

  private static void check(Path file, int at, String what, long expected, long found) {
    if (expected != found) {
      throw new LogException.Corrupt(
          file, at, what + " " + Long.toHexString(expected), Long.toHexString(found));
    }
  }

  private static int headerCrc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, HEADER_CRC_AT);
    crc.update(bytes, HEADER_CRC_AT + Integer.BYTES, HEADER_CRC_END - HEADER_CRC_AT - 4);
    return (int) crc.getValue();
  }

  /** The position up to which the ring's content was written, at least, by its header page. */
  static long ringWritten(byte[] headerPage) {
    long written = (long) LONG.get(headerPage, RING_WRITTEN_AT);
    long again = (long) LONG.get(headerPage, RING_WRITTEN_AGAIN_AT);
    // Too low is harmless, too high is not. The second word is 0 until its first write.
    return again == 0 ? written : Math.min(written, again);
  }

  /** The position up to which the log was forced, at least, by the ring's header page. */
  static long ringForced(byte[] headerPage) {
    return (long) LONG.get(headerPage, RING_FORCED_AT);
  }
}
