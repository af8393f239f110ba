package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A copy of what an earlier life of the log left in its ring. */
final class RingImage {
  private final Format.FileHeader header;
  private final byte[] bytes;
  private final long written;
  private final long forced;

  private RingImage(Format.FileHeader header, byte[] bytes, long written, long forced) {
    this.header = header;
    this.bytes = bytes;
    this.written = written;
    this.forced = forced;
  }

  static RingImage read(LogDirectory directory) throws IOException {
    Path path = directory.ring();
    try (Disk.File file = directory.disk().open(path)) {
      byte[] page = Format.FileHeader.page(file);
      Format.FileHeader header = Format.FileHeader.decode(page, path, Format.RING);
      long capacity = file.size() - Format.FILE_HEADER_BYTES;
      if (capacity != header.capacity()) {
        throw new LogException.Corrupt(
            path, file.size(), "a ring of " + header.capacity() + " bytes", capacity + " bytes");
      }
      byte[] frames = new byte[(int) capacity];
      file.read(ByteBuffer.wrap(frames), Format.FILE_HEADER_BYTES);
      return new RingImage(header, frames, Format.ringWritten(page), Format.ringForced(page));
    }
  }

  Format.FileHeader header() {
    return header;
  }

  /** Up to where its frames had been written to a segment, at least. */
  long written() {
    return written;
  }

  /** Up to where the log had been forced, at least; after a power cut perhaps further. */
  long forced() {
    return forced;
  }

  /** Whether the operating system still runs that had its pages in memory. */
  boolean isOfBoot(long boot) {
    return boot == header.boot();
  }

  long offset(long position) {
    return (long) Format.FILE_HEADER_BYTES + index(position);
  }

  private int index(long position) {
    return (int) (position & (bytes.length - 1));
  }

  /** Where what is not zero may be left of frames that had been written. */
  long end() {
    return written + bytes.length;
  }

  /** Frames from this position on; there may be some beyond {@link #end} if that is damaged. */
  FrameReader reader(long position) {
    return new FrameReader(
        (into, at) -> read(into, position + at), bytes.length, position, header.salt());
  }

  private void read(ByteBuffer into, long position) {
    int first = Math.min(into.remaining(), bytes.length - index(position));
    into.put(bytes, index(position), first);
    into.put(bytes, 0, into.remaining());
  }
}
