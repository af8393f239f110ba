package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A file of frames, open for reading: a segment or a base.
 *
 * @param firstPosition the position of its first frame; 0 in a base
 * @param contentBytes how many bytes follow the header
 */
record FrameFile(
    Path path, Disk.File file, FileHeader header, long firstPosition, long contentBytes)
    implements Closeable {

  static FrameFile segment(LogDirectory directory, long position) throws IOException {
    return open(directory, directory.segment(position), FileHeader.SEGMENT, position, position);
  }

  static FrameFile base(LogDirectory directory, long position) throws IOException {
    return open(directory, directory.base(position), FileHeader.BASE, position, 0);
  }

  private static FrameFile open(
      LogDirectory directory, Path path, short kind, long positionOfName, long firstPosition)
      throws IOException {
    Disk.File file = directory.disk().open(path);
    try {
      byte[] page = FileHeader.page(file);
      FileHeader header = FileHeader.decode(page, path, kind);
      directory.codecs().checkIn(page, path);
      if (header.firstPosition() != positionOfName) {
        throw new LogException.Corrupt(
            path, 0, "the position of the name", Long.toHexString(header.firstPosition()));
      }
      long contentBytes = file.size() - FileHeader.BYTES;
      return new FrameFile(path, file, header, firstPosition, contentBytes);
    } catch (IOException | RuntimeException unreadable) {
      file.close();
      throw unreadable;
    }
  }

  boolean isBase() {
    return header.kind() == FileHeader.BASE;
  }

  /** Where the content ends, with or without frames there. */
  long limit() {
    return firstPosition + contentBytes;
  }

  long offset(long position) {
    return FileHeader.BYTES + position - firstPosition;
  }

  FrameReader reader() {
    return new FrameReader(
        (into, at) -> file.read(into, FileHeader.BYTES + at),
        contentBytes,
        firstPosition,
        header.salt());
  }

  /** A reader of a part that begins with a frame. It takes little memory. */
  FrameReader reader(long from, long to, int windowBytes) {
    return new FrameReader(
        (into, at) -> file.read(into, offset(from) + at),
        to - from,
        from,
        header.salt(),
        windowBytes);
  }

  LogException.Corrupt corrupt(long position, String expected, String found) {
    return new LogException.Corrupt(path, offset(position), expected, found);
  }

  /** The exception for a place where another part of the log says that there is a frame. */
  LogException.Corrupt frameMissing(long position) {
    String witness = isBase() ? "the base has its name" : "a newer segment follows";
    return corrupt(position, "a frame, since " + witness, "none");
  }

  /**
   * Searches from the reader's position for a whole frame whose {@code durable} lies beyond this
   * end. Such a frame shows damage, not a torn tail.
   */
  void checkNotForced(FrameReader reader, long end) throws IOException {
    while (reader.seekFrame()) {
      if (reader.durable() > end) {
        throw corrupt(
            end,
            "a frame, since a later one says that all was forced up to position "
                + reader.durable(),
            "none");
      }
      reader.next();
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
