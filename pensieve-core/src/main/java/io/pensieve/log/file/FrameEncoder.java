package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;

/** A frame before it has a position. One for each thread, used again and again. */
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

  /** This thread's draft, with all done that can be done before room is claimed. */
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

  /** This thread's draft, whatever is in it. */
  static FrameEncoder ofThread() {
    return DRAFTS.get();
  }

  /** So much has been appended beyond where writers are free. */
  void addDebt(long end, int bytes) {
    debtEnd = end;
    debtBytes += bytes;
  }

  long debtEnd() {
    return debtEnd;
  }

  /** What is owed, once. */
  long takeDebt() {
    long bytes = debtBytes;
    debtBytes = 0;
    return bytes;
  }

  /** This thread's draft of a frame that holds several changes. */
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

  /** What this thread claims for it. */
  RingClaim claim() {
    RingClaim current = claim;
    if (current.isOpen()) {
      // An append of this thread ended without a word. The scribe gives that place back.
      current.abandoned = true;
      current = RingClaim.ofThread();
      claim = current;
    }
    return current;
  }

  /** Memory of this thread alone, by way of which key and value are copied. */
  byte[] copyBuffer() {
    return copyBuffer;
  }

  /** The checksum of what is copied, begun anew. */
  Format.Checksum beginChecksum() {
    checksum.begin(expiryMillis);
    return checksum;
  }

  /** Lets go of key and value, which may be large. */
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

  /** How many bytes the caller's key and value have. */
  long entryBytes() {
    return (long) key.length + value.length;
  }

  /** The frame's length, which may be more than a frame can have. */
  long length() {
    return Format.frameLength(key, value, expiryMillis);
  }

  /** The first word, when all of the body was added to the checksum; once for each draft. */
  long commitWord(long position, long durable, long salt) {
    int length = (int) length();
    return Format.commitWord(length, checksum.finish(length, position, durable, kindWord, salt));
  }
}
