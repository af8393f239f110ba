package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** The ring file of an earlier session, read piece by piece. */
final class RingImage implements Closeable {
  private final Disk.File file;
  private final FileHeader header;
  private final int capacity;
  private final long written;
  private final long forced;

  private RingImage(Disk.File file, FileHeader header, int capacity, byte[] page) {
    this.file = file;
    this.header = header;
    this.capacity = capacity;
    this.written = FileHeader.ringWritten(page);
    this.forced = FileHeader.ringForced(page);
  }

  static RingImage open(LogDirectory directory) throws IOException {
    Path path = directory.ring();
    Disk.File file = directory.disk().open(path);
    try {
      byte[] page = FileHeader.page(file);
      FileHeader header = FileHeader.decode(page, path, FileHeader.RING);
      long capacity = file.size() - FileHeader.BYTES;
      if (capacity != header.capacity()) {
        throw new LogException.Corrupt(
            path, file.size(), "a ring of " + header.capacity() + " bytes", capacity + " bytes");
      }
      return new RingImage(file, header, (int) capacity, page);
    } catch (IOException | RuntimeException | Error unreadable) {
      file.close();
      throw unreadable;
    }
  }

  /** Whether nothing was ever written to the ring: its creator died before the log began. */
  static boolean isNew(LogDirectory directory) throws IOException {
    try (RingImage ring = open(directory)) {
      long first = ring.header.firstPosition();
      return ring.written == first && !ring.reader(first).seekFrame();
    }
  }

  FileHeader header() {
    return header;
  }

  /** The position up to which its frames were in a segment, at least. */
  long written() {
    return written;
  }

  /** The position up to which the log was forced, at least; after a power cut perhaps further. */
  long forced() {
    return forced;
  }

  long offset(long position) {
    return (long) FileHeader.BYTES + index(position);
  }

  private int index(long position) {
    return (int) (position & (capacity - 1));
  }

  /** Where remains of frames already written may end. */
  long end() {
    return written + capacity;
  }

  /** A reader from this position on. If {@link #end} is damaged, frames may lie beyond it. */
  FrameReader reader(long position) {
    return new FrameReader(
        (into, at) -> read(into, position + at), capacity, position, header.salt());
  }

  /** Fills the buffer with the ring's bytes from this position on. */
  void read(ByteBuffer into, long position) throws IOException {
    int end = into.limit();
    int first = Math.min(into.remaining(), capacity - index(position));
    file.read(into.limit(into.position() + first), offset(position));
    if (into.limit() < end) {
      file.read(into.limit(end), FileHeader.BYTES);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
