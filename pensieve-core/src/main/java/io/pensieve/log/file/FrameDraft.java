package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;

/** A frame before it has a position. One for each thread, used again and again. */
final class FrameDraft {
  private static final ThreadLocal<FrameDraft> DRAFTS = ThreadLocal.withInitial(FrameDraft::new);
  private static final byte[] NOTHING = {};

  private final Format.Checksum checksum = new Format.Checksum();
  private byte[] key = NOTHING;
  private byte[] value = NOTHING;
  private long expiryMillis = Change.NEVER;
  private long kindWord;

  /** This thread's draft, with all done that can be done before room is claimed. */
  static <K, V> FrameDraft of(Change<K, V> change, Codec<K> keyCodec, Codec<V> valueCodec) {
    FrameDraft draft = DRAFTS.get();
    byte[] key = keyCodec.encode(change.key());
    if (change instanceof Change.Put<K, V> put) {
      draft.begin(Format.PUT, key, valueCodec.encode(put.value()), put.expiryMillis());
    } else {
      byte kind = change instanceof Change.Remove<K, V> ? Format.REMOVE : Format.TOUCH;
      draft.begin(kind, key, NOTHING, Change.NEVER);
    }
    return draft;
  }

  /** This thread's draft of a frame that holds several changes. */
  static FrameDraft of(Group group) {
    FrameDraft draft = DRAFTS.get();
    draft.begin(Format.GROUP, NOTHING, group.body(), Change.NEVER);
    draft.kindWord = group.kindWord();
    return draft;
  }

  private void begin(byte kind, byte[] keyBytes, byte[] valueBytes, long newExpiryMillis) {
    key = keyBytes;
    value = valueBytes;
    expiryMillis = newExpiryMillis;
    kindWord = Format.kindWord(kind, keyBytes.length, newExpiryMillis);
    checksum.begin(keyBytes, valueBytes, newExpiryMillis);
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

  /** The first word; once for each draft. */
  long commitWord(long position, long durable, long salt) {
    int length = (int) length();
    return Format.commitWord(length, checksum.finish(length, position, durable, kindWord, salt));
  }
}
