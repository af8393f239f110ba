package io.pensieve.log.file;

import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The names of the codecs of a file's keys and values, stored in the page of its header. An empty
 * name matches any codec.
 */
record CodecNames(String key, String value) {
  static final CodecNames NONE = new CodecNames("", "");

  private static final int LENGTHS_AT = 88; // behind the words of a ring
  private static final int CRC_AT = LENGTHS_AT + 2 * Integer.BYTES;
  private static final int NAMES_AT = CRC_AT + 2 * Integer.BYTES;
  private static final int NAME_BYTES_MAX = 1000;

  static CodecNames of(Codec<?> key, Codec<?> value) {
    CodecNames names = new CodecNames(key.name(), value.name());
    if (utf8(names.key).length > NAME_BYTES_MAX || utf8(names.value).length > NAME_BYTES_MAX) {
      throw new IllegalArgumentException(
          "the name of a codec has more than " + NAME_BYTES_MAX + " bytes");
    }
    return names;
  }

  private static byte[] utf8(String name) {
    return name.getBytes(StandardCharsets.UTF_8);
  }

  /** Stores these names in the page of a header. */
  byte[] in(byte[] page) {
    if (equals(NONE)) {
      return page; // as in files of older versions
    }
    ByteBuffer into = buffer(page);
    byte[] keyName = utf8(key);
    byte[] valueName = utf8(value);
    into.position(LENGTHS_AT).putInt(keyName.length).putInt(valueName.length);
    into.position(NAMES_AT).put(keyName).put(valueName);
    into.putInt(CRC_AT, checksum(page, keyName.length + valueName.length));
    return page;
  }

  private static ByteBuffer buffer(byte[] page) {
    return ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int checksum(byte[] page, int nameBytes) {
    CRC32C crc = new CRC32C();
    crc.update(page, LENGTHS_AT, CRC_AT - LENGTHS_AT);
    crc.update(page, NAMES_AT, nameBytes);
    return (int) crc.getValue();
  }

  /** Reads the names from the page of a whole header. */
  static CodecNames read(byte[] page, Path file) {
    ByteBuffer from = buffer(page);
    int keyBytes = from.getInt(LENGTHS_AT);
    int valueBytes = from.getInt(LENGTHS_AT + Integer.BYTES);
    if (keyBytes == 0 && valueBytes == 0) {
      return NONE;
    }
    boolean fit =
        keyBytes >= 0
            && keyBytes <= NAME_BYTES_MAX
            && valueBytes >= 0
            && valueBytes <= NAME_BYTES_MAX;
    if (!fit || checksum(page, keyBytes + valueBytes) != from.getInt(CRC_AT)) {
      throw new LogException.Corrupt(
          file, LENGTHS_AT, "the names of the codecs under a right checksum", "none");
    }
    return new CodecNames(
        new String(page, NAMES_AT, keyBytes, StandardCharsets.UTF_8),
        new String(page, NAMES_AT + keyBytes, valueBytes, StandardCharsets.UTF_8));
  }

  /** Refuses a file written with other codecs than these. */
  void checkIn(byte[] page, Path file) {
    CodecNames found = read(page, file);
    check(file, "keys", key, found.key);
    check(file, "values", value, found.value);
  }

  private static void check(Path file, String what, String expected, String found) {
    if (!expected.isEmpty() && !found.isEmpty() && !expected.equals(found)) {
      throw new LogException.WrongCodec(file, what, found, expected);
    }
  }
}
