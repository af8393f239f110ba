package io.pensieve.examples;

import io.pensieve.log.Codec;
import java.nio.ByteBuffer;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;

/**
 * What a file's content hashes to, and how the file looked when it was hashed.
 *
 * @param size in bytes
 * @param modifiedNanos when it was last modified, in nanoseconds since 1970
 * @param sha256 64 hexadecimal digits in small letters
 */
record FileDigest(long size, long modifiedNanos, String sha256) {
  private static final int SHA256_BYTES = 32;
  private static final int ENCODED_BYTES = Long.BYTES + Long.BYTES + SHA256_BYTES;

  /** A digest of a file that looks like this. */
  static FileDigest of(BasicFileAttributes attributes, String sha256) {
    return new FileDigest(attributes.size(), modifiedNanos(attributes), sha256);
  }

  /** Whether a file that looks like this is still the one that was hashed. */
  boolean isOf(BasicFileAttributes attributes) {
    return size == attributes.size() && modifiedNanos == modifiedNanos(attributes);
  }

  private static long modifiedNanos(BasicFileAttributes attributes) {
    return attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS);
  }

  /**
   * How a digest is written into the log:
   *
   * <pre>
   *  0        8               16                             48
   * +--------+---------------+------------------------------+
   * | size   | modifiedNanos | sha256                       |   big-endian
   * +--------+---------------+------------------------------+
   * </pre>
   */
  static final class BytesCodec implements Codec<FileDigest> {
    @Override
    public byte[] encode(FileDigest digest) {
      return ByteBuffer.allocate(ENCODED_BYTES)
          .putLong(digest.size)
          .putLong(digest.modifiedNanos)
          .put(HexFormat.of().parseHex(digest.sha256))
          .array();
    }

    @Override
    public FileDigest decode(byte[] bytes) {
      if (bytes.length != ENCODED_BYTES) {
        throw new IllegalArgumentException(
            "expected " + ENCODED_BYTES + " bytes, found " + bytes.length);
      }
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      return new FileDigest(
          buffer.getLong(),
          buffer.getLong(),
          HexFormat.of().formatHex(bytes, ENCODED_BYTES - SHA256_BYTES, ENCODED_BYTES));
    }
  }
}
