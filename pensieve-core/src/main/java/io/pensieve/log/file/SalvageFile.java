package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * A segment or a base of a log that may be damaged anywhere. Sectors that the disk cannot read
 * count as zeros.
 *
 * @param bytes how many bytes of frames there are
 * @param firstPosition the position in its header, or else in its name
 * @param previousEnd where the previous segment ends, or {@link #UNKNOWN}
 * @param salt the salt in its header; null if that is damaged
 * @param reader a reader of its frames; null if they cannot be verified
 * @param headerDamage what is wrong with its header; null if it is sound
 */
record SalvageFile(
    Path path,
    Disk.File file,
    long bytes,
    long firstPosition,
    long previousEnd,
    @Nullable Long salt,
    @Nullable FrameReader reader,
    @Nullable String headerDamage)
    implements Closeable {
  static final long UNKNOWN = -1;

  private static final int SECTOR_BYTES = 4096;

  /**
   * Opens a file.
   *
   * @param kind the kind that its name says
   * @param named the position in its name
   * @param salts the salts of other files, which this one may share
   */
  static SalvageFile open(Disk disk, Path path, short kind, long named, Collection<Long> salts)
      throws IOException {
    Disk.File file = disk.open(path);
    try {
      long bytes = Math.max(0, file.size() - FileHeader.BYTES);
      byte[] page = page(file);
      try {
        FileHeader header = FileHeader.decode(page, path, kind);
        return of(path, file, bytes, header);
      } catch (LogException.Corrupt damaged) {
        long first = kind == FileHeader.BASE ? 0 : named;
        FrameReader reader =
            FileHeader.isIntact(page)
                ? null // another version, or another kind of file
                : SaltSearch.reader(source(file), bytes, first, page, salts);
        return new SalvageFile(
            path, file, bytes, named, UNKNOWN, null, reader, String.valueOf(damaged.getMessage()));
      }
    } catch (IOException | RuntimeException unreadable) {
      file.close();
      throw unreadable;
    }
  }

  private static SalvageFile of(Path path, Disk.File file, long bytes, FileHeader header) {
    long first = header.kind() == FileHeader.BASE ? 0 : header.firstPosition();
    FrameReader reader = new FrameReader(source(file), bytes, first, header.salt());
    return new SalvageFile(
        path,
        file,
        bytes,
        header.firstPosition(),
        header.previousEnd(),
        header.salt(),
        reader,
        null);
  }

  static byte[] page(Disk.File file) throws IOException {
    byte[] page = new byte[(int) Math.min(file.size(), FileHeader.BYTES)];
    readOrZeros(file, ByteBuffer.wrap(page), 0);
    return page;
  }

  private static FrameReader.Source source(Disk.File file) {
    return (into, at) -> readOrZeros(file, into, FileHeader.BYTES + at);
  }

  /** Reads the bytes, with zeros for sectors that the disk cannot read. */
  static void readOrZeros(Disk.File file, ByteBuffer into, long position) throws IOException {
    int start = into.position();
    if (!into.hasRemaining()) {
      return;
    }
    try {
      file.read(into, position);
      return;
    } catch (IOException badSector) {
      into.position(start);
    }
    int limit = into.limit();
    for (int at = start; at < limit; at = into.position()) {
      long offset = position + at - start;
      into.limit((int) Math.min(limit, at + SECTOR_BYTES - offset % SECTOR_BYTES));
      try {
        file.read(into, offset);
      } catch (IOException badSector) {
        into.position(at);
        into.put(new byte[into.remaining()]);
      }
      into.limit(limit);
    }
  }

  /** Where the file ends, as a position. */
  long limit() {
    return firstPosition + bytes;
  }

  long offset(long position) {
    return FileHeader.BYTES + position - firstPosition;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
