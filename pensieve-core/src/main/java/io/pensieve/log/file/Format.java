package io.pensieve.log.file;

import io.pensieve.log.Change;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Format v1: where each byte of a frame is. FORMAT.md draws it. {@link FileHeader} has the rest.
 */
final class Format {
  // Only these two classes know offsets. FORMAT.md, they and the golden files change together. A
  // change's sequence is the position in the log's byte stream at which it ends: with its frame, or
  // within a batch frame. So one compare-and-set gives space and sequence, and a gap between two
  // frames is evident.

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

  static final int FRAME_ALIGNMENT = Long.BYTES;
  static final int FRAME_HEADER_BYTES = 4 * Long.BYTES;

  /** The expiry of a put or an entry, before the key; present if the flag says so. */
  static final int EXPIRY_BYTES = Long.BYTES;

  /** The longest frame: a damaged length must not allocate more. */
  static final int FRAME_BYTES_MAX = 64 << 20;

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

  // A change in a batch has a frame's parts from the third word on, with its length in place of
  // that third word. So the methods that locate a frame's parts also serve a change, if they get an
  // index so many bytes before it:
  static final int LEFT_OUT_BYTES = 2 * Long.BYTES;

  /** The change's length, and the word with its kind. */
  static final int CHANGE_HEADER_BYTES = 2 * Long.BYTES;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private Format() {}

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
    return frameLength((long) key.length + value.length, expiryMillis);
  }

  /** As {@link #frameLength(byte[], byte[], long)}, by the bytes of key and value together. */
  static long frameLength(long entryBytes, long expiryMillis) {
    int expiryBytes = expiryMillis == Change.NEVER ? 0 : EXPIRY_BYTES;
    return FRAME_HEADER_BYTES + expiryBytes + entryBytes;
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

  /**
   * The first place from {@code at} on that names its own position, as a frame does, and at most
   * the first one beyond {@code last}.
   *
   * @param position the position of the place {@code at}
   */
  static int findPosition(byte[] bytes, int at, int last, long position) {
    int place = at;
    while (place <= last && position(bytes, place) != position + (place - at)) {
      place += FRAME_ALIGNMENT;
    }
    return place;
  }

  /** The number of bytes in whole words of zeros from a place on. */
  static int zeroBytes(byte[] bytes, int at, int end) {
    int place = at;
    while (place <= end - Long.BYTES && wordAt(bytes, place) == 0) {
      place += Long.BYTES;
    }
    return Math.max(0, place - at);
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
      return (kinds & 1 << GROUP) != 0 && !hasFlags && isBatchUnderstood(bytes, frame);
    }
    return isUnderstood(bytes, frame, length(bytes, frame), kinds);
  }

  /** Whether the body of a batch frame is well formed. A checksum cannot show that. */
  private static boolean isBatchUnderstood(byte[] bytes, int frame) {
    int end = frame + length(bytes, frame);
    int at = frame + FRAME_HEADER_BYTES;
    int changeEnd = at;
    int count = 0;
    for (; end - at >= CHANGE_HEADER_BYTES; count++) {
      long length = wordAt(bytes, at);
      if (length < CHANGE_HEADER_BYTES
          || length > end - at
          || !isUnderstood(bytes, at - LEFT_OUT_BYTES, (int) length + LEFT_OUT_BYTES, OF_GROUP)) {
        return false;
      }
      changeEnd = at + (int) length;
      at += align((int) length);
    }
    return count > 0 && count == changes(bytes, frame) && changeEnd == end;
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

  /** The words before a frame's body. */
  record FrameHeader(int length, int checksum, long position, long durable, long kindWord) {
    static FrameHeader of(byte[] bytes, int frame) {
      return new FrameHeader(
          Format.length(bytes, frame),
          Format.checksum(bytes, frame),
          Format.position(bytes, frame),
          Format.durable(bytes, frame),
          Format.wordAt(bytes, frame + KIND_WORD_AT));
    }
  }

  /** CRC32C over body, header and salt of a frame. Not thread-safe. */
  static final class Checksum {
    // The body comes first, since it is checksummed while it is copied.
    static final int TAIL_BYTES = 5 * Long.BYTES;

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

    /**
     * The checksum of a frame at index 0, of its body and of header and salt by these values. Uses
     * the {@link #TAIL_BYTES} behind the frame, so that one call reads all.
     */
    int ofFrame(
        byte[] frame, int length, long position, long durable, long kindWord, long frameSalt) {
      putTail(frame, length, length, position, durable, kindWord, frameSalt);
      crc.reset();
      crc.update(frame, FRAME_HEADER_BYTES, length - FRAME_HEADER_BYTES + TAIL_BYTES);
      return (int) crc.getValue();
    }

    private static void putTail(
        byte[] into,
        int at,
        int length,
        long position,
        long durable,
        long kindWord,
        long frameSalt) {
      LONG.set(into, at, position);
      LONG.set(into, at + Long.BYTES, durable);
      LONG.set(into, at + 2 * Long.BYTES, kindWord);
      LONG.set(into, at + 3 * Long.BYTES, (long) length);
      LONG.set(into, at + 4 * Long.BYTES, frameSalt);
    }

    int finish(int length, long position, long durable, long kindWord, long frameSalt) {
      putTail(tail, 0, length, position, durable, kindWord, frameSalt);
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

  /** Encodes the words of a frame at index 0 that are before its body, but for the first one. */
  static void header(byte[] into, long position, long durable, long kindWord) {
    LONG.set(into, POSITION_AT, position);
    LONG.set(into, DURABLE_AT, durable);
    LONG.set(into, KIND_WORD_AT, kindWord);
  }

  /** Encodes expiry, if there is one, key and value. */
  static void body(byte[] into, int at, byte[] key, byte[] value, long expiryMillis) {
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
    body(into, at + CHANGE_HEADER_BYTES, key, value, expiryMillis);
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
