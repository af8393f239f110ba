package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;

/** Encodes a frame before it has a position. Each thread has one encoder and reuses it. */
final class FrameEncoder {
  private static final ThreadLocal<FrameEncoder> DRAFTS =
      ThreadLocal.withInitial(FrameEncoder::new);
  private static final byte[] NOTHING = {};

  private static final int PIECE_BYTES_MIN = 256;
  private static final int PIECE_BYTES_MAX = 8 << 10;

  private final Format.Checksum checksum = new Format.Checksum();
  private RingClaim claim = RingClaim.ofThread();
  private byte[] copyBuffer = new byte[PIECE_BYTES_MIN];
  private byte[] key = NOTHING;
  private byte[] value = NOTHING;
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
    key = keyBytes;
    value = valueBytes;
    expiryMillis = newExpiryMillis;
    kindWord = Format.kindWord(kind, keyBytes.length, newExpiryMillis);
    if (copyBuffer.length < PIECE_BYTES_MAX
        && Math.max(keyBytes.length, valueBytes.length) > copyBuffer.length) {
      copyBuffer = new byte[PIECE_BYTES_MAX];
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

  /** This thread's own memory, through which key and value are copied. */
  byte[] copyBuffer() {
    return copyBuffer;
  }

  /** Restarts the checksum of the copied bytes. */
  Format.Checksum beginChecksum() {
    checksum.begin(expiryMillis);
    return checksum;
  }

  /** Drops key and value, which may be large. */
  void clear() {
    key = NOTHING;
    value = NOTHING;
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
    return (long) key.length + value.length;
  }

  /** The frame's length, which may exceed the longest frame. */
  long length() {
    return Format.frameLength(key, value, expiryMillis);
  }

  /** The first word, once the checksum has the whole body. To be called once a frame. */
  long commitWord(long position, long durable, long salt) {
    int length = (int) length();
    return Format.commitWord(length, checksum.finish(length, position, durable, kindWord, salt));
  }
}
