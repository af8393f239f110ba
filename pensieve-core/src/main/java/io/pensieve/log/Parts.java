package io.pensieve.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Several parts that are encoded as one: their number, then each part's length and bytes. Numbers
 * are 4 bytes, little-endian.
 */
final class Parts {
  private Parts() {}

  /**
   * Returns the parts.
   *
   * @throws IllegalArgumentException if the bytes are not such an encoding
   */
  static List<byte[]> split(byte[] bytes) {
    ByteBuffer joined = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int count = length(joined, Integer.BYTES); // each part takes that many bytes at least
    List<byte[]> parts = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      byte[] part = new byte[length(joined, 1)];
      joined.get(part);
      parts.add(part);
    }
    if (joined.hasRemaining()) {
      throw new IllegalArgumentException(joined.remaining() + " bytes too many");
    }
    return parts;
  }

  // A wrong number must not allocate more than there is.
  private static int length(ByteBuffer from, int bytesOfEach) {
    if (from.remaining() < Integer.BYTES) {
      throw new IllegalArgumentException("cut off");
    }
    int length = from.getInt();
    if (length < 0 || length > from.remaining() / bytesOfEach) {
      throw new IllegalArgumentException(
          "a length of " + length + " with " + from.remaining() + " bytes left");
    }
    return length;
  }
}
