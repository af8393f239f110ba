package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Encodes several changes as the body of one frame. A log holds a frame as a whole or not at all.
 */
final class BatchFrame {
  private static final byte[] NOTHING = {};

  private final byte[] body;
  private final int[] ends;
  private final boolean hasPut;

  private BatchFrame(byte[] body, int[] ends, boolean hasPut) {
    this.body = body;
    this.ends = ends;
    this.hasPut = hasPut;
  }

  /**
   * Encodes changes.
   *
   * @param bytesMax the maximum length of the body
   * @throws IllegalArgumentException if the body is longer, or a change may not be in a batch
   */
  static <K, V> BatchFrame of(
      List<Change<K, V>> changes, Codec<K> keyCodec, Codec<V> valueCodec, int bytesMax) {
    byte[][] keys = new byte[changes.size()][];
    byte[][] values = new byte[changes.size()][];
    long bytes = 0; // the end of the last change, then with its alignment zeros
    long bodyBytes = 0; // without the last change's zeros: they are the frame's
    boolean hasPut = false;
    for (int i = 0; i < keys.length; i++) {
      Change<K, V> change = changes.get(i);
      keys[i] = keyCodec.encode(change.key());
      values[i] = change instanceof Change.Put<K, V> put ? valueCodec.encode(put.value()) : NOTHING;
      hasPut |= change instanceof Change.Put;
      bodyBytes = bytes + length(keys[i], values[i], expiryMillis(change));
      bytes = (bodyBytes + Format.FRAME_ALIGNMENT - 1) & -Format.FRAME_ALIGNMENT;
    }
    requireFits(bodyBytes, bytesMax);
    byte[] body = new byte[(int) bodyBytes];
    return new BatchFrame(body, encode(body, changes, keys, values), hasPut);
  }

  private static void requireFits(long bytes, int bytesMax) {
    if (bytes == 0) {
      throw new IllegalArgumentException("no changes to be appended together");
    }
    if (bytes > bytesMax) {
      throw new IllegalArgumentException(
          "appended together, the changes have "
              + bytes
              + " bytes, more than the log's maximum of "
              + bytesMax
              + " for an entry; each has up to 31 besides its key and value");
    }
  }

  private static long length(byte[] key, byte[] value, long expiryMillis) {
    return Format.frameLength(key, value, expiryMillis) - Format.LEFT_OUT_BYTES;
  }

  private static <K, V> long expiryMillis(Change<K, V> change) {
    return change instanceof Change.Put<K, V> put ? put.expiryMillis() : Change.NEVER;
  }

  private static <K, V> int[] encode(
      byte[] body, List<Change<K, V>> changes, byte[][] keys, byte[][] values) {
    int[] ends = new int[keys.length]; // relative to the frame's start
    int at = 0;
    for (int i = 0; i < keys.length; i++) {
      Change<K, V> change = changes.get(i);
      long expiry = expiryMillis(change);
      int length = (int) length(keys[i], values[i], expiry);
      Format.change(body, at, length, kind(change), keys[i], values[i], expiry);
      at += Format.align(length);
      ends[i] = Format.FRAME_HEADER_BYTES + at;
    }
    return ends;
  }

  private static byte kind(Change<?, ?> change) {
    if (change instanceof Change.Touch) {
      throw new IllegalArgumentException("a touch cannot be appended together with others");
    }
    return change instanceof Change.Put ? Format.PUT : Format.REMOVE;
  }

  /** The encoded changes, one after another. */
  byte[] body() {
    return body;
  }

  boolean hasPut() {
    return hasPut;
  }

  /**
   * Where each change ends, relative to the frame's start. The caller allocates this before the
   * append, while a lack of memory is still harmless. The frame's position added, these are the
   * sequences.
   */
  long[] ends() {
    return IntStream.of(ends).asLongStream().toArray();
  }

  /** The word with the frame's kind and the number of changes. */
  long kindWord() {
    return Format.kindWord(Format.GROUP, ends.length, Change.NEVER);
  }
}
