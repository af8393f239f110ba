package io.pensieve.replication.format;

import java.util.Arrays;

/** Reads what {@link ByteWriter} wrote. Throws {@link MalformedException} where that is not it. */
final class ByteReader {
  static final int VARINT_BYTES_MAX = 5;

  private final byte[] bytes;
  private int at;

  ByteReader(byte[] bytes) {
    this.bytes = bytes;
  }

  boolean hasMore() {
    return at < bytes.length;
  }

  int int8() {
    require(1);
    return bytes[at++] & 0xff;
  }

  int int32() {
    return (int8() << 24) | (int8() << 16) | (int8() << 8) | int8();
  }

  long int64() {
    return ((long) int32() << 32) | (int32() & 0xffffffffL);
  }

  int varint() {
    int value = 0;
    for (int i = 0; i < VARINT_BYTES_MAX; i++) {
      int next = int8();
      value |= (next & 0x7f) << (7 * i);
      if ((next & 0x80) == 0) {
        return value;
      }
    }
    throw new MalformedException("a number of at most 5 bytes", "a longer one", at);
  }

  byte[] string() {
    int length = varint();
    require(length);
    byte[] string = Arrays.copyOfRange(bytes, at, at + length);
    at += length;
    return string;
  }

  void skipString() {
    int length = varint();
    require(length);
    at += length;
  }

  int position() {
    return at;
  }

  private void require(int length) {
    if (length < 0 || length > bytes.length - at) {
      throw new MalformedException(length + " more bytes", "only " + (bytes.length - at), at);
    }
  }
}
