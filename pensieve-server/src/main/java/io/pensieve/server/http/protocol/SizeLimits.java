package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.value.EntryWeigher;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.WaitLimits;

/**
 * How large things may be, and how many.
 *
 * @param keyBytesMax the longest key, in bytes of UTF-8
 * @param valueBytesMax the longest value, in bytes, of texts in bytes of UTF-8
 * @param headerBytesMax the longest head of a request: its first line and its headers, in bytes; a
 *     key in a path takes up to three bytes there for each of its own
 * @param waits how many clients may wait for changes
 * @param capacityBytes what all entries together may take of the heap, as {@link EntryWeigher} says
 */
public record SizeLimits(
    int keyBytesMax, int valueBytesMax, int headerBytesMax, WaitLimits waits, long capacityBytes) {
  /** 1 KiB. */
  public static final int DEFAULT_KEY_BYTES_MAX = 1 << 10;

  /** 16 MiB. */
  public static final int DEFAULT_VALUE_BYTES_MAX = 16 << 20;

  /** 16 KiB. */
  public static final int DEFAULT_HEADER_BYTES_MAX = 16 << 10;

  /** How many operations a batch may have. */
  public static final int BATCH_OPERATIONS_MAX = 1000;

  private static final int BATCH_BYTES_MIN = 1 << 20;

  // A client that escapes all but ASCII sends two bytes of UTF-8 as six, four bytes as twelve.
  private static final int JSON_BYTES_PER_BYTE = 3;
  // Each byte of a key as %XX; and the rest of the head, with the longest of tokens.
  private static final int ESCAPED_BYTES_PER_BYTE = 3;
  private static final int HEAD_BYTES_BESIDE_KEY = 4 << 10;

  private static final int JSON_FRAME_BYTES = 1 << 10;

  /** Refuses limits that are not above zero, or so large that a body's size is no {@code int}. */
  public SizeLimits {
    if (keyBytesMax < 1 || valueBytesMax < 1 || headerBytesMax < 1) {
      throw new IllegalArgumentException("limits must be at least 1 byte");
    }
    long bodyBytesMax =
        JSON_BYTES_PER_BYTE * ((long) keyBytesMax + valueBytesMax) + JSON_FRAME_BYTES;
    if (bodyBytesMax > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("limits must add up to less than 682 MiB");
    }
  }

  /** Limits of keys and values, and defaults for the rest. */
  public SizeLimits(int keyBytesMax, int valueBytesMax) {
    this(keyBytesMax, valueBytesMax, DEFAULT_HEADER_BYTES_MAX, WaitLimits.defaults());
  }

  /** Limits without one for all entries together. */
  public SizeLimits(int keyBytesMax, int valueBytesMax, int headerBytesMax, WaitLimits waits) {
    this(keyBytesMax, valueBytesMax, headerBytesMax, waits, Long.MAX_VALUE);
  }

  /** The limits that hold when nothing else is said. */
  public static SizeLimits defaults() {
    return new SizeLimits(DEFAULT_KEY_BYTES_MAX, DEFAULT_VALUE_BYTES_MAX);
  }

  /** How long a head must be allowed to be for every key of such a length to fit into it. */
  public static int headerBytesFor(int keyBytesMax) {
    return ESCAPED_BYTES_PER_BYTE * keyBytesMax + HEAD_BYTES_BESIDE_KEY;
  }

  /**
   * What a log must be able to take as one, in bytes: the longest key with the longest value, and
   * an atomic batch of a mebibyte.
   */
  public int logEntryBytesMax() {
    return Math.max(keyBytesMax + StoredValue.HEADER_BYTES_MAX + valueBytesMax, BATCH_BYTES_MIN);
  }

  /** The longest request body, in bytes: room for the longest key and value, mostly escaped. */
  public int bodyBytesMax() {
    return JSON_BYTES_PER_BYTE * (keyBytesMax + valueBytesMax) + JSON_FRAME_BYTES;
  }

  /** The longest text in a body of JSON, in bytes: a value as it is, or in base64. */
  public int textBytesMax() {
    return (int)
        Math.min(Integer.MAX_VALUE, 4L * (Math.max(keyBytesMax, valueBytesMax) + 2L) / 3 + 1);
  }

  /** The longest body of a batch, in bytes: room for what the log takes as one, mostly escaped. */
  public int batchBodyBytesMax() {
    long bytes =
        (long) JSON_BYTES_PER_BYTE * batchBytesMax() + BATCH_OPERATIONS_MAX * JSON_FRAME_BYTES / 8;
    return (int) Math.min(bytes, Integer.MAX_VALUE);
  }

  /** How much the values that a batch tells may have together, in bytes. */
  public int batchBytesMax() {
    return Math.max(keyBytesMax + valueBytesMax, BATCH_BYTES_MIN);
  }

  /** Returns the key if it may be used. */
  public String key(String key) {
    if (key.isEmpty()) {
      throw ProblemType.EMPTY_KEY.withDetail("a key has at least one character");
    }
    long bytes = utf8Bytes(key);
    if (bytes > keyBytesMax) {
      throw ProblemType.KEY_TOO_LARGE.withDetail(
          "the key has " + bytes + " bytes in UTF-8, the limit is " + keyBytesMax);
    }
    return key;
  }

  /** Returns the value if it may be used. */
  public String value(String value) {
    requireValue(utf8Bytes(value));
    return value;
  }

  /** Refuses a value of more bytes than may be. */
  public void requireValue(long bytes) {
    if (bytes > valueBytesMax) {
      throw ProblemType.VALUE_TOO_LARGE.withDetail(
          "the value has " + bytes + " bytes, the limit is " + valueBytesMax);
    }
  }

  /** Refuses an entry that has no room beside no other. */
  public void requireFits(String key, StoredValue value) {
    long bytes = EntryWeigher.OF_PROCESS.bytes(key, value);
    if (bytes > capacityBytes) {
      throw ProblemType.ENTRY_TOO_LARGE.withDetail(
          "the entry takes "
              + bytes
              + " bytes of memory, the limit of all entries together is "
              + capacityBytes);
    }
  }

  private static long utf8Bytes(String text) {
    long bytes = text.length();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        // A pair of surrogates is four bytes: two for each of its halves.
        bytes += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
      }
    }
    return bytes;
  }
}
