package io.pensieve.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A copy of what an earlier life of the log left in its ring. */
final class RingImage {
  private final Format.FileHeader header;
  private final byte[] bytes;
  private final long written;

  private RingImage(Format.FileHeader header, byte[] bytes, long written) {
    this.header = header;
    this.bytes = bytes;
    this.written = written;
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
      return new RingImage(header, frames, Format.ringWritten(page));
    }
  }

  Format.FileHeader header() {
    return header;
  }

  /** Up to where its frames had been written to a segment, at least. */
  long written() {
    return written;
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

  /** Frames from this position on, up to where the room of the oldest one begins again. */
  FrameReader reader(long position) {
    long old = Math.max(0, Math.min(position - written, bytes.length));
    return new FrameReader(
        (into, at) -> read(into, position + at), bytes.length - old, position, header.salt());
  }

  private void read(ByteBuffer into, long position) {
    int first = Math.min(into.remaining(), bytes.length - index(position));
    into.put(bytes, index(position), first);
    into.put(bytes, 0, into.remaining());
  }
}
