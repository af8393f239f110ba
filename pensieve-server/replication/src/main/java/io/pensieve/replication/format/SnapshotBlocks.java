package io.pensieve.replication.format;

import io.pensieve.log.LogException;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** The blocks of a snapshot file, one after another, their checksums checked. */
final class SnapshotBlocks implements Closeable {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final String REPAIR =
      "stop this node, and replace it by an empty one: it gets all from the leader";

  private final Path path;
  private final InputStream in;
  private final long fileBytes;
  private long offset; // where the current block begins
  private long end; // and where it ends
  private int kind;
  private ByteReader payload = new ByteReader(new byte[0]);

  /** Opens a file. The first call of {@link #next} gets the first block. */
  SnapshotBlocks(Path path) throws IOException {
    this.path = path;
    fileBytes = Files.size(path);
    in = new BufferedInputStream(Files.newInputStream(path), BUFFER_BYTES);
    boolean opened = false;
    try {
      byte[] magic = in.readNBytes(SnapshotHeader.MAGIC.length);
      if (!Arrays.equals(magic, SnapshotHeader.MAGIC)) {
        throw corrupt("a snapshot of Pensieve", "something else");
      }
      end = magic.length;
      opened = true;
    } finally {
      if (!opened) {
        in.close();
      }
    }
  }

  /** The kind of the current block; 0 at first. */
  int kind() {
    return kind;
  }

  /** What is left of the current block. */
  ByteReader payload() {
    return payload;
  }

  /** How many bytes were read. */
  long bytesRead() {
    return end;
  }

  long fileBytes() {
    return fileBytes;
  }

  /** Reads the next block. */
  void next() throws IOException {
    offset = end;
    byte[] frame = in.readNBytes(SnapshotHeader.FRAME_BYTES);
    if (frame.length < SnapshotHeader.FRAME_BYTES) {
      throw corrupt("a block", "the end of the file");
    }
    ByteReader frameReader = new ByteReader(frame);
    int length = frameReader.int32();
    int expected = frameReader.int32();
    long left = fileBytes - offset - frame.length;
    if (length < 1 || length > left) {
      throw corrupt("a block of at most " + left + " bytes", "a length of " + length);
    }
    byte[] bytes = in.readNBytes(length);
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    if ((int) crc.getValue() != expected) {
      throw corrupt("the checksum " + expected, "the checksum " + (int) crc.getValue());
    }
    end = offset + frame.length + length;
    payload = new ByteReader(bytes);
    kind = payload.int8();
  }

  /** Damage in the current block. */
  LogException.Corrupt corrupt(String expected, String found) {
    return new LogException.Corrupt(path, offset, expected, found + "; " + REPAIR);
  }

  /** Bytes of the current block that are not of this format, or not of these codecs. */
  LogException.Corrupt corrupt(IllegalArgumentException cause) {
    return new LogException.Corrupt(
        path, offset, "a block of this format", cause.getMessage() + "; " + REPAIR, cause);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
