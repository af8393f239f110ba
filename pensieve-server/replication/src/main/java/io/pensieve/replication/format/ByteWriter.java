package io.pensieve.replication.format;

import java.util.Arrays;

/** Appends numbers, big-endian, and byte strings to an array that grows. Not thread-safe. */
final class ByteWriter {
  private byte[] bytes;
  private int length;

  ByteWriter(int capacity) {
    bytes = new byte[capacity];
  }

  int length() {
    return length;
  }

  void int8(int value) {
    ensureRoom(1);
    bytes[length++] = (byte) value;
  }

  void int32(int value) {
    ensureRoom(Integer.BYTES);
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes[length++] = (byte) (value >>> shift);
    }
  }

  void int64(long value) {
    int32((int) (value >>> 32));
    int32((int) value);
  }

  /** Seven bits a byte, the lowest first; the last byte has its highest bit clear. */
  void varint(int value) {
    ensureRoom(ByteReader.VARINT_BYTES_MAX);
    int left = value;
    while ((left & ~0x7f) != 0) {
      bytes[length++] = (byte) (left | 0x80);
      left >>>= 7;
    }
    bytes[length++] = (byte) left;
  }

  void raw(byte[] added) {
    ensureRoom(added.length);
    System.arraycopy(added, 0, bytes, length, added.length);
    length += added.length;
  }

  void string(byte[] added) {
    varint(added.length);
    raw(added);
  }

  byte[] toBytes() {
    return bytes.length == length ? bytes : Arrays.copyOf(bytes, length);
  }

  private void ensureRoom(int more) {
    int needed = Math.addExact(length, more);
    if (needed > bytes.length) {
      bytes = Arrays.copyOf(bytes, (int) Math.min(Integer.MAX_VALUE - 8L, 2L * needed));
    }
  }
}
