package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;

/** Encodes a frame before it has a position. Each thread has one encoder and reuses it. */
final class FrameEncoder {
  // A short frame is encoded in the thread's own memory, and copied to the ring from there at once.
  // So the encoder, which is an old object, refers to no new array. G1 would have to look at each
  // such reference: with four stores a put, its refinement took a sixth of all processor time.
  //
  // Invariant: the checksum is that of the copied bytes. A caller may change its array meanwhile.

  private static final ThreadLocal<FrameEncoder> DRAFTS =
      ThreadLocal.withInitial(FrameEncoder::new);
  private static final byte[] NOTHING = {};

  private static final int PIECE_BYTES_MIN = 256;
  private static final int PIECE_BYTES_MAX = 8 << 10;

  private final Format.Checksum checksum = new Format.Checksum();
  private RingClaim claim = RingClaim.ofThread();
  private byte[] copyBuffer = new byte[PIECE_BYTES_MIN];
  private byte[] key = NOTHING; // of a long frame
  private byte[] value = NOTHING; // likewise
  private long entryBytes;
  private long length;
  private boolean isShort;
  private long expiryMillis = Change.NEVER;
  private long kindWord;
  private long debtEnd; // see WriteThrottle
  private long debtBytes;

  /** This thread's encoder, with all work done that needs no position. */
  static <K, V> FrameEncoder of(Change<K, V> change, Codec<K> keyCodec, Codec<V> valueCodec) {
    FrameEncoder draft = DRAFTS.get();
    byte[] key = keyCodec.encode(change.key());
    if (change instanceof Change.Put<K, V> put) {
      draft.begin(Format.PUT, key, valueCodec.encode(put.value()), put.expiryMillis());
    } else {
      byte kind = change instanceof Change.Remove<K, V> ? Format.REMOVE : Format.TOUCH;
      draft.begin(kind, key, NOTHING, Change.NEVER);
    }
    return draft;
  }

  /** This thread's encoder, whatever it holds. */
  static FrameEncoder ofThread() {
    return DRAFTS.get();
  }

  /** Adds bytes appended beyond the throttle's limit: see WriteThrottle. */
  void addDebt(long end, int bytes) {
    debtEnd = end;
    debtBytes += bytes;
  }

  long debtEnd() {
    return debtEnd;
  }

  /** Answers the bytes of debt, and clears them. */
  long takeDebt() {
    long bytes = debtBytes;
    debtBytes = 0;
    return bytes;
  }

  /** This thread's encoder, holding a batch frame. */
  static FrameEncoder of(BatchFrame batch) {
    FrameEncoder draft = DRAFTS.get();
    draft.begin(Format.GROUP, NOTHING, batch.body(), Change.NEVER);
    draft.kindWord = batch.kindWord();
    return draft;
  }

  private void begin(byte kind, byte[] keyBytes, byte[] valueBytes, long newExpiryMillis) {
    expiryMillis = newExpiryMillis;
    kindWord = Format.kindWord(kind, keyBytes.length, newExpiryMillis);
    entryBytes = (long) keyBytes.length + valueBytes.length;
    length = Format.frameLength(keyBytes, valueBytes, newExpiryMillis);
    long needed = length + Format.Checksum.TAIL_BYTES;
    isShort = needed <= PIECE_BYTES_MAX;
    if (needed > copyBuffer.length && copyBuffer.length < PIECE_BYTES_MAX) {
      copyBuffer = new byte[PIECE_BYTES_MAX];
    }
    if (isShort) {
      Format.body(copyBuffer, Format.FRAME_HEADER_BYTES, keyBytes, valueBytes, newExpiryMillis);
    } else {
      key = keyBytes;
      value = valueBytes;
    }
  }

  /** The claim for this frame's ring space. */
  RingClaim claim() {
    RingClaim current = claim;
    if (current.isOpen()) {
      // An earlier append left its claim open. Abandon it: the log writer then pads its space.
      current.abandoned = true;
      current = RingClaim.ofThread();
      claim = current;
    }
    return current;
  }

  /**
   * Whether {@link #copyBuffer} holds the whole frame. If not, key and value are copied through it.
   */
  boolean isShort() {
    return isShort;
  }

  /** This thread's own memory. */
  byte[] copyBuffer() {
    return copyBuffer;
  }

  /** Completes a short frame, but for its first word, which is returned. */
  long complete(long position, long durable, long salt) {
    int bytes = (int) length;
    Format.header(copyBuffer, position, durable, kindWord);
    return Format.commitWord(
        bytes, checksum.ofFrame(copyBuffer, bytes, position, durable, kindWord, salt));
  }

  /** Restarts the checksum of the copied bytes of a long frame. */
  Format.Checksum beginChecksum() {
    checksum.begin(expiryMillis);
    return checksum;
  }

  /** Drops key and value of a long frame. */
  void clear() {
    if (!isShort) {
      key = NOTHING;
      value = NOTHING;
    }
  }

  byte[] key() {
    return key;
  }

  byte[] value() {
    return value;
  }

  long expiryMillis() {
    return expiryMillis;
  }

  long kindWord() {
    return kindWord;
  }

  /** The number of bytes of the caller's key and value. */
  long entryBytes() {
    return entryBytes;
  }

  /** The frame's length, which may exceed the longest frame. */
  long length() {
    return length;
  }

  /** The first word of a long frame, once the checksum has its whole body. To be called once. */
  long commitWord(long position, long durable, long salt) {
    int bytes = (int) length;
    return Format.commitWord(bytes, checksum.finish(bytes, position, durable, kindWord, salt));
  }
}
