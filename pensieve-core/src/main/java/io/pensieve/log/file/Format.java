package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/** Format v1: where each byte of a file header and of a frame is. FORMAT.md draws it. */
final class Format {
  // Only this class knows offsets. FORMAT.md, this class and the golden files change together. A
  // change's sequence is the position in the log's byte stream at which it ends: with its frame, or
  // within a batch frame. So one compare-and-set gives space and sequence, and a gap between two
  // frames is evident.

  static final short VERSION = 1;

  static final short SEGMENT = 1;
  static final short RING = 2;
  static final short BASE = 3;

  static final byte PUT = 1;
  static final byte REMOVE = 2;
  static final byte TOUCH = 3;
  static final byte PADDING = 4;
  static final byte CLOSE = 5;

  // Kinds in a base only.
  static final byte ENTRY = 6;
  static final byte FOOTER = 7;

  /** A batch frame: several changes. The key's length field holds their number. */
  static final byte GROUP = 8;

  // The kinds allowed in each place, as bits.
  static final int OF_SEGMENT =
      1 << PUT | 1 << REMOVE | 1 << TOUCH | 1 << PADDING | 1 << CLOSE | 1 << GROUP;
  static final int OF_GROUP = 1 << PUT | 1 << REMOVE;
  static final int OF_BASE = 1 << ENTRY | 1 << FOOTER;

  static final int FOOTER_BYTES = 4 * Long.BYTES + Long.BYTES; // a header and the count

  /** A page, so that writing a frame never writes the header's sectors again. */
  static final int FILE_HEADER_BYTES = 4096;

  static final int FRAME_ALIGNMENT = Long.BYTES;
  static final int FRAME_HEADER_BYTES = 4 * Long.BYTES;

  /** The expiry of a put or an entry, before the key; present if the flag says so. */
  static final int EXPIRY_BYTES = Long.BYTES;

  /** The longest frame: a damaged length must not allocate more. */
  static final int FRAME_BYTES_MAX = 64 << 20;

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

  // A frame.
  static final int COMMIT_WORD_AT = 0;
  private static final int LENGTH_AT = COMMIT_WORD_AT;
  private static final int CRC_AT = LENGTH_AT + Integer.BYTES;
  static final int POSITION_AT = COMMIT_WORD_AT + Long.BYTES;
  static final int DURABLE_AT = POSITION_AT + Long.BYTES;
  private static final int VERSION_OF_ENTRY_AT = DURABLE_AT;
  static final int KIND_WORD_AT = DURABLE_AT + Long.BYTES;
  private static final int KEY_LENGTH_AT = KIND_WORD_AT + Integer.BYTES;
  private static final int KIND_MASK = 0xff;
  private static final int EXPIRES = 1 << Byte.SIZE; // flag 0

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  private Format() {}

  /**
   * The header of a file.
   *
   * @param kind {@link #SEGMENT}, {@link #RING} or {@link #BASE}
   * @param firstPosition the position of the first frame in the log's stream; for a base, of the
   *     first frame that it does not replace
   * @param previousEnd where the previous segment ends; less than {@code firstPosition} if
   *     positions were skipped after an unclean end
   * @param salt mixed into the CRC of every frame, so that no bytes of another file or of a value
   *     pass for a frame of this file
   * @param capacity for a ring: how many bytes of frames it holds; else 0
   * @param boot for a ring: the boot of the operating system in which it was created; else 0
   * @param appendedIsAcknowledged for a ring: whether a commit to it acknowledges the change, so
   *     that the death of the process must not lose it
   */
  record FileHeader(
      short kind,
      long firstPosition,
      long previousEnd,
      long salt,
      long capacity,
      long boot,
      boolean appendedIsAcknowledged) {

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
      byte[] bytes = new byte[FILE_HEADER_BYTES];
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
      byte[] page = new byte[(int) Math.min(file.size(), FILE_HEADER_BYTES)];
      file.read(ByteBuffer.wrap(page), 0);
      return page;
    }

    /** Decodes and checks the header in these bytes of a file. There may be too few bytes. */
    static FileHeader decode(byte[] bytes, Path file, short kind) {
      if (bytes.length < FILE_HEADER_BYTES) {
        throw new LogException.Corrupt(
            file, bytes.length, "a header of " + FILE_HEADER_BYTES + " bytes", "end of file");
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
      return page.length == FILE_HEADER_BYTES
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

  /** The bytes that a frame of this length takes in the file. */
  static int align(int length) {
    return (length + FRAME_ALIGNMENT - 1) & -FRAME_ALIGNMENT;
  }

  /** The length in a frame's first word; 0 if no frame was committed there. */
  static int lengthOf(long commitWord) {
    return (int) commitWord;
  }

  /** The first word, never 0. It is written last, and its store commits the frame. */
  static long commitWord(int length, int crc) {
    return ((long) crc << Integer.SIZE) | length;
  }

  /** The word with the kind, the flags and the key's length. */
  static long kindWord(byte kind, int keyBytes, long expiryMillis) {
    int flags = expiryMillis == Change.NEVER ? 0 : EXPIRES;
    return ((long) keyBytes << Integer.SIZE) | flags | kind;
  }

  /** The length of a put or an entry, which may exceed the longest frame. */
  static long frameLength(byte[] key, byte[] value, long expiryMillis) {
    int expiryBytes = expiryMillis == Change.NEVER ? 0 : EXPIRY_BYTES;
    return (long) FRAME_HEADER_BYTES + expiryBytes + key.length + value.length;
  }

  /** Whether a frame of this length is possible in so many bytes. */
  static boolean lengthIsPossible(int length, long available) {
    return length >= FRAME_HEADER_BYTES && length <= FRAME_BYTES_MAX && align(length) <= available;
  }

  static long wordAt(byte[] bytes, int at) {
    return (long) LONG.get(bytes, at);
  }

  static int length(byte[] bytes, int frame) {
    return (int) INT.get(bytes, frame + LENGTH_AT);
  }

  static long position(byte[] bytes, int frame) {
    return (long) LONG.get(bytes, frame + POSITION_AT);
  }

  static long durable(byte[] bytes, int frame) {
    return (long) LONG.get(bytes, frame + DURABLE_AT);
  }

  /** The checksum stored in a frame. */
  static int checksum(byte[] bytes, int frame) {
    return (int) INT.get(bytes, frame + CRC_AT);
  }

  static byte kind(byte[] bytes, int frame) {
    return bytes[frame + KIND_WORD_AT];
  }

  /**
   * Whether kind, flags and lengths are of this version. A checksum cannot show that.
   *
   * @param kinds the allowed kinds, as bits
   */
  static boolean isUnderstood(byte[] bytes, int frame, int kinds) {
    if (kind(bytes, frame) == GROUP) {
      boolean hasFlags = ((int) INT.get(bytes, frame + KIND_WORD_AT) & ~KIND_MASK) != 0;
      return (kinds & 1 << GROUP) != 0 && !hasFlags && BatchFrame.isUnderstood(bytes, frame);
    }
    return isUnderstood(bytes, frame, length(bytes, frame), kinds);
  }

  /** The same for a change of this length in a batch frame. */
  static boolean isUnderstoodInGroup(byte[] bytes, int change, int length) {
    return isUnderstood(bytes, change, length + BatchFrame.LEFT_OUT_BYTES, OF_GROUP);
  }

  private static boolean isUnderstood(byte[] bytes, int frame, int length, int kinds) {
    int kindAndFlags = (int) INT.get(bytes, frame + KIND_WORD_AT);
    int kind = kindAndFlags & KIND_MASK;
    int flags = kindAndFlags & ~KIND_MASK;
    boolean mayExpire = kind == PUT || kind == ENTRY;
    int keyBytes = keyBytes(bytes, frame);
    return kind < Integer.SIZE
        && (kinds & 1 << kind) != 0
        && (flags == 0 || (flags == EXPIRES && mayExpire))
        && keyBytes >= 0
        && keyBytes <= length - FRAME_HEADER_BYTES - expiryBytes(bytes, frame);
  }

  /** The number of changes in a frame of a segment, if its checksum is right. */
  static int changes(byte[] bytes, int frame) {
    return kind(bytes, frame) == GROUP ? Math.max(1, keyBytes(bytes, frame)) : 1;
  }

  private static int expiryBytes(byte[] bytes, int frame) {
    return ((int) INT.get(bytes, frame + KIND_WORD_AT) & EXPIRES) == 0 ? 0 : EXPIRY_BYTES;
  }

  /** When a put or an entry expires; {@link Change#NEVER} if it does not expire. */
  static long expiryMillis(byte[] bytes, int frame) {
    return expiryBytes(bytes, frame) == 0
        ? Change.NEVER
        : (long) LONG.get(bytes, frame + FRAME_HEADER_BYTES);
  }

  static int keyAt(byte[] bytes, int frame) {
    return frame + FRAME_HEADER_BYTES + expiryBytes(bytes, frame);
  }

  /** Where the value begins, and the key before it ends. */
  static int valueAt(byte[] bytes, int frame) {
    return keyAt(bytes, frame) + keyBytes(bytes, frame);
  }

  private static int keyBytes(byte[] bytes, int frame) {
    return (int) INT.get(bytes, frame + KEY_LENGTH_AT);
  }

  /** Whether a whole, undamaged frame that was written for this position begins here. */
  static boolean isFrame(byte[] bytes, int frame, int available, long position, Checksum checksum) {
    if (available < FRAME_HEADER_BYTES) {
      return false;
    }
    int length = length(bytes, frame);
    return lengthIsPossible(length, available)
        && position(bytes, frame) == position
        && checksum.of(bytes, frame, length) == checksum(bytes, frame);
  }

  /** CRC32C over body, header and salt of a frame. Not thread-safe. */
  static final class Checksum {
    // The body comes first, since it is checksummed while it is copied.
    private static final int TAIL_BYTES = 5 * Long.BYTES;

    private final CRC32C crc = new CRC32C();
    private final byte[] tail = new byte[TAIL_BYTES];
    private final long salt;

    Checksum(long salt) {
      this.salt = salt;
    }

    Checksum() {
      this(0);
    }

    void begin() {
      crc.reset();
    }

    void update(byte[] bytes, int at, int count) {
      crc.update(bytes, at, count);
    }

    /** Whether the body added so far belongs to a frame with this header. */
    boolean isOf(FrameHeader header) {
      return header.checksum()
          == finish(header.length(), header.position(), header.durable(), header.kindWord(), salt);
    }

    int of(byte[] bytes, int frame, int length) {
      crc.reset();
      crc.update(bytes, frame + FRAME_HEADER_BYTES, length - FRAME_HEADER_BYTES);
      return finish(
          length,
          position(bytes, frame),
          durable(bytes, frame),
          (long) LONG.get(bytes, frame + KIND_WORD_AT),
          salt);
    }

    void begin(long expiryMillis) {
      crc.reset();
      if (expiryMillis != Change.NEVER) {
        LONG.set(tail, 0, expiryMillis);
        crc.update(tail, 0, EXPIRY_BYTES);
      }
    }

    /** Adds more of the body: first the key, then the value. */
    void add(byte[] bytes, int count) {
      crc.update(bytes, 0, count);
    }

    int finish(int length, long position, long durable, long kindWord, long frameSalt) {
      LONG.set(tail, 0, position);
      LONG.set(tail, Long.BYTES, durable);
      LONG.set(tail, 2 * Long.BYTES, kindWord);
      LONG.set(tail, 3 * Long.BYTES, (long) length);
      LONG.set(tail, 4 * Long.BYTES, frameSalt);
      crc.update(tail, 0, TAIL_BYTES);
      return (int) crc.getValue();
    }
  }

  /** Creates a frame without key and value, for the log's own use: padding or close marker. */
  static byte[] bareFrame(byte kind, int bytes, long position, long durable, long salt) {
    byte[] frame = new byte[bytes];
    finishFrame(frame, 0, bytes, position, durable, kind, new Checksum(salt));
    return frame;
  }

  /** Encodes an entry of a base in place. The caller has zeroed the alignment bytes. */
  static void entry(
      byte[] into,
      int at,
      byte[] key,
      byte[] value,
      long expiryMillis,
      long position,
      long version,
      Checksum sum) {
    int length = (int) frameLength(key, value, expiryMillis);
    body(into, at + FRAME_HEADER_BYTES, key, value, expiryMillis);
    long kindWord = kindWord(ENTRY, key.length, expiryMillis);
    finishFrame(into, at, length, position, version, kindWord, sum);
  }

  private static void body(byte[] into, int at, byte[] key, byte[] value, long expiryMillis) {
    int keyAt = at;
    if (expiryMillis != Change.NEVER) {
      LONG.set(into, at, expiryMillis);
      keyAt += EXPIRY_BYTES;
    }
    System.arraycopy(key, 0, into, keyAt, key.length);
    System.arraycopy(value, 0, into, keyAt + key.length, value.length);
  }

  /** Encodes a change of a batch frame in place. The caller has zeroed the alignment bytes. */
  static void change(
      byte[] into, int at, int length, byte kind, byte[] key, byte[] value, long expiryMillis) {
    LONG.set(into, at, (long) length);
    LONG.set(into, at + Long.BYTES, kindWord(kind, key.length, expiryMillis));
    body(into, at + BatchFrame.CHANGE_HEADER_BYTES, key, value, expiryMillis);
  }

  /** Reseals a whole frame from another file with this checksum's salt. */
  static void reseal(byte[] bytes, int frame, Checksum sum) {
    INT.set(bytes, frame + CRC_AT, sum.of(bytes, frame, length(bytes, frame)));
  }

  /** Encodes a base's last frame. */
  static byte[] footer(long position, long durable, long count, long salt) {
    byte[] frame = new byte[FOOTER_BYTES];
    LONG.set(frame, FRAME_HEADER_BYTES, count);
    finishFrame(frame, 0, FOOTER_BYTES, position, durable, FOOTER, new Checksum(salt));
    return frame;
  }

  private static void finishFrame(
      byte[] into, int at, int length, long position, long durable, long kindWord, Checksum sum) {
    INT.set(into, at + LENGTH_AT, length);
    LONG.set(into, at + POSITION_AT, position);
    LONG.set(into, at + DURABLE_AT, durable);
    LONG.set(into, at + KIND_WORD_AT, kindWord);
    INT.set(into, at + CRC_AT, sum.of(into, at, length));
  }

  /** The sequence of the change that gave a base's entry its value. */
  static long version(byte[] bytes, int frame) {
    return (long) LONG.get(bytes, frame + VERSION_OF_ENTRY_AT);
  }

  /** The number of entries in a base, from its footer. */
  static long count(byte[] bytes, int frame) {
    return (long) LONG.get(bytes, frame + FRAME_HEADER_BYTES);
  }
}
