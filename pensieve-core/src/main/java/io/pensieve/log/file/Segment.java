package io.pensieve.log.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/** The segment file that the log writer writes. For one thread at a time. */
final class Segment implements Closeable {
  private static final int ZEROS_BYTES = 1 << 20;

  private final Path path;
  private final Disk.File file;
  private final long firstPosition;
  private final long bytesMax;

  private Segment(Path path, Disk.File file, long firstPosition, long bytesMax) {
    this.path = path;
    this.file = file;
    this.firstPosition = firstPosition;
    this.bytesMax = bytesMax;
  }

  /** Creates a file of zeros, so that later forces need not write the file's size. */
  static Disk.File allocate(Disk disk, Path temporary, long bytes, BooleanSupplier wanted)
      throws IOException {
    Disk.File file = disk.create(temporary);
    try {
      for (long at = 0; at < bytes && wanted.getAsBoolean(); at += ZEROS_BYTES) {
        file.write(ByteBuffer.allocate((int) Math.min(ZEROS_BYTES, bytes - at)), at);
      }
      if (bytes > 0) {
        file.force();
      }
      return file;
    } catch (IOException | RuntimeException | Error refused) {
      discard(disk, file, temporary);
      throw refused;
    }
  }

  /** Closes and deletes an unused file. If the deletion fails, the next opening deletes it. */
  static void discard(Disk disk, Disk.File file, Path temporary) {
    // Not try-with-resources: that refuses an OutOfMemoryError which is thrown twice, and its
    // refusal would look like a failure of the disk.
    try {
      try {
        disk.delete(temporary);
      } finally {
        file.close();
      }
    } catch (IOException leftToTheNextOpening) {
      // The file has a temporary name, so it does not count.
    }
  }

  /** Turns an allocated file into the segment that this header describes. */
  static Segment publish(
      LogDirectory directory, Disk.File file, Path temporary, FileHeader header, long bytesMax)
      throws IOException {
    Segment segment = name(directory, file, temporary, header, bytesMax);
    directory.forceFolder();
    return segment;
  }

  /**
   * The same without the folder's force. The caller must force the folder before the segment
   * counts.
   */
  static Segment name(
      LogDirectory directory, Disk.File file, Path temporary, FileHeader header, long bytesMax)
      throws IOException {
    Segment segment =
        new Segment(
            directory.segment(header.firstPosition()), file, header.firstPosition(), bytesMax);
    file.write(ByteBuffer.wrap(directory.codecs().in(header.encode())), 0);
    file.force();
    directory.disk().rename(temporary, segment.path);
    return segment;
  }

  Path path() {
    return path;
  }

  /** How many bytes of frames still fit from this position on. */
  long remainingBytes(long position) {
    return bytesMax - (position - firstPosition);
  }

  boolean isEmpty(long position) {
    return position == firstPosition;
  }

  /** Writes consecutive frames. May be repeated after an error. */
  void write(ByteBuffer[] frames, long position) throws IOException {
    long at = offset(position);
    for (ByteBuffer piece : frames) {
      int bytes = piece.remaining();
      file.write(piece, at);
      at += bytes;
    }
  }

  void force() throws IOException {
    file.force();
  }

  /** Cuts off the zeros that are no longer needed. */
  void trim(long end) throws IOException {
    file.truncate(offset(end));
  }

  private long offset(long position) {
    return FileHeader.BYTES + position - firstPosition;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
