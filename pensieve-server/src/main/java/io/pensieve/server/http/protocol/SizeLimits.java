package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.value.CurrentCapacity;
import io.pensieve.server.http.value.EntryWeigher;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.WaitLimits;

/**
 * The limits on sizes and counts.
 *
 * @param keyBytesMax the longest key, in bytes of UTF-8
 * @param valueBytesMax the longest value, in bytes; of texts in bytes of UTF-8
 * @param headerBytesMax the longest request head (first line and headers), in bytes; in a path,
 *     each byte of a key takes up to three
 * @param waits the limits on clients that wait for changes
 * @param capacity how many entries there are at most, and how many bytes of the heap they take at
 *     most, as {@link EntryWeigher} estimates them
 */
public record SizeLimits(
    int keyBytesMax,
    int valueBytesMax,
    int headerBytesMax,
    WaitLimits waits,
    CurrentCapacity capacity) {
  /** 1 KiB. */
  public static final int DEFAULT_KEY_BYTES_MAX = 1 << 10;

  /** 16 MiB. */
  public static final int DEFAULT_VALUE_BYTES_MAX = 16 << 20;

  /** 16 KiB. */
  public static final int DEFAULT_HEADER_BYTES_MAX = 16 << 10;

  /** The maximum number of operations in a batch. */
  public static final int BATCH_OPERATIONS_MAX = 1000;

  private static final int BATCH_BYTES_MIN = 1 << 20;

  // A client that escapes all but ASCII sends two bytes of UTF-8 as six, four bytes as twelve.
  private static final int JSON_BYTES_PER_BYTE = 3;
  // Each byte of a key as %XX; and the rest of the head, with the longest token.
  private static final int ESCAPED_BYTES_PER_BYTE = 3;
  private static final int HEAD_BYTES_BESIDE_KEY = 4 << 10;

  private static final int JSON_FRAME_BYTES = 1 << 10;
  private static final int UTF8_BYTES_PER_CHAR_MAX = 3;

  /**
   * Rejects limits that are not above zero, or so large that a body's size does not fit an {@code
   * int}.
   */
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

  /** Creates limits for keys and values, with defaults for the rest. */
  public SizeLimits(int keyBytesMax, int valueBytesMax) {
    this(keyBytesMax, valueBytesMax, DEFAULT_HEADER_BYTES_MAX, WaitLimits.defaults());
  }

  /** Creates limits without one for all entries together. */
  public SizeLimits(int keyBytesMax, int valueBytesMax, int headerBytesMax, WaitLimits waits) {
    this(keyBytesMax, valueBytesMax, headerBytesMax, waits, Long.MAX_VALUE);
  }

  /** Creates limits with one for the bytes of all entries together. */
  public SizeLimits(
      int keyBytesMax,
      int valueBytesMax,
      int headerBytesMax,
      WaitLimits waits,
      long capacityBytes) {
    this(
        keyBytesMax,
        valueBytesMax,
        headerBytesMax,
        waits,
        new CurrentCapacity(Long.MAX_VALUE, capacityBytes));
  }

  /** Returns how many bytes of the heap all entries may take now. */
  public long capacityBytes() {
    return capacity.bytes();
  }

  /** Returns the default limits. */
  public static SizeLimits defaults() {
    return new SizeLimits(DEFAULT_KEY_BYTES_MAX, DEFAULT_VALUE_BYTES_MAX);
  }

  /** Returns the head length that fits every key of this length. */
  public static int headerBytesFor(int keyBytesMax) {
    return ESCAPED_BYTES_PER_BYTE * keyBytesMax + HEAD_BYTES_BESIDE_KEY;
  }

  /**
   * Returns the size that the log must accept as one entry, in bytes: the longest key with the
   * longest value, or an atomic batch of 1 MiB.
   */
  public int logEntryBytesMax() {
    return Math.max(keyBytesMax + StoredValue.HEADER_BYTES_MAX + valueBytesMax, BATCH_BYTES_MIN);
  }

  /**
   * Returns the longest request body, in bytes: it fits the longest key and value, mostly escaped.
   */
  public int bodyBytesMax() {
    return JSON_BYTES_PER_BYTE * (keyBytesMax + valueBytesMax) + JSON_FRAME_BYTES;
  }

  /** Returns the longest text in a JSON body, in bytes: a plain value, or one in base64. */
  public int textBytesMax() {
    return (int)
        Math.min(Integer.MAX_VALUE, 4L * (Math.max(keyBytesMax, valueBytesMax) + 2L) / 3 + 1);
  }

  /** Returns the longest body of a batch, in bytes: it fits a full log entry, mostly escaped. */
  public int batchBodyBytesMax() {
    long bytes =
        (long) JSON_BYTES_PER_BYTE * batchBytesMax() + BATCH_OPERATIONS_MAX * JSON_FRAME_BYTES / 8;
    return (int) Math.min(bytes, Integer.MAX_VALUE);
  }

  /** Returns the maximum total size of the values that a batch returns, in bytes. */
  public int batchBytesMax() {
    return Math.max(keyBytesMax + valueBytesMax, BATCH_BYTES_MIN);
  }

  /** Returns the key if it is valid. */
  public String key(String key) {
    if (key.isEmpty()) {
      throw ProblemType.EMPTY_KEY.withDetail("a key has at least one character");
    }
    if (!surelyFits(key, keyBytesMax)) {
      long bytes = utf8Bytes(key);
      if (bytes > keyBytesMax) {
        throw ProblemType.KEY_TOO_LARGE.withDetail(
            "the key has " + bytes + " bytes in UTF-8, the limit is " + keyBytesMax);
      }
    }
    return key;
  }

  /** Returns the value if it is valid. */
  public String value(String value) {
    if (!surelyFits(value, valueBytesMax)) {
      requireValue(utf8Bytes(value));
    }
    return value;
  }

  // Most texts are so short that nobody needs to count.
  private static boolean surelyFits(String text, int bytesMax) {
    return (long) UTF8_BYTES_PER_CHAR_MAX * text.length() <= bytesMax;
  }

  /** Rejects a value that is too long. */
  public void requireValue(long bytes) {
    if (bytes > valueBytesMax) {
      throw ProblemType.VALUE_TOO_LARGE.withDetail(
          "the value has " + bytes + " bytes, the limit is " + valueBytesMax);
    }
  }

  /** Rejects an entry that does not fit even if it is the only one. */
  public void requireFits(String key, StoredValue value) {
    long bytes = EntryWeigher.OF_PROCESS.weigh(key, value);
    long capacityBytes = capacityBytes();
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
        // A surrogate pair is four bytes: two for each half.
        bytes += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
      }
    }
    return bytes;
  }
}
