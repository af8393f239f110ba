package io.pensieve.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the newest base, if there is one. All of it must be there: it was forced before it got its
 * name.
 */
final class BaseReader implements Closeable {
  private final long position;
  private final @Nullable Contents contents;

  private BaseReader(long position, @Nullable Contents contents) {
    this.position = position;
    this.contents = contents;
  }

  private record Contents(Path path, Disk.File file, long salt, long bytes) {
    LogException.Corrupt corrupt(long at, String expected, String found) {
      return new LogException.Corrupt(path, Format.FILE_HEADER_BYTES + at, expected, found);
    }
  }

  static BaseReader open(LogDirectory directory) throws IOException {
    List<Long> bases = directory.bases();
    if (bases.isEmpty()) {
      return new BaseReader(0, null);
    }
    long position = bases.get(bases.size() - 1);
    Path path = directory.base(position);
    Disk.File file = directory.disk().open(path);
    try {
      Format.FileHeader header =
          Format.FileHeader.decode(Format.FileHeader.page(file), path, Format.BASE);
      if (header.firstPosition() != position) {
        throw new LogException.Corrupt(
            path, 0, "the position of the name", Long.toHexString(header.firstPosition()));
      }
      long bytes = file.size() - Format.FILE_HEADER_BYTES;
      return new BaseReader(position, new Contents(path, file, header.salt(), bytes));
    } catch (IOException | RuntimeException unreadable) {
      file.close();
      throw unreadable;
    }
  }

  /** From here on the history is in segments; 0 if there is no base. */
  long position() {
    return position;
  }

  boolean isPresent() {
    return contents != null;
  }

  /** How many bytes of frames there are to be told. */
  long bytes() {
    return contents == null ? 0 : contents.bytes;
  }

  /** Tells all entries, and answers up to where the log was forced when the base got its name. */
  long tell(Teller<?, ?> teller) throws IOException {
    Contents base = contents;
    if (base == null) {
      return 0;
    }
    FrameReader reader =
        new FrameReader(
            (into, at) -> base.file.read(into, Format.FILE_HEADER_BYTES + at),
            base.bytes,
            0,
            base.salt);
    for (long entry = 1; ; entry++) {
      long at = reader.position();
      if (!reader.next()) {
        throw base.corrupt(at, "a frame, since the base has its name", "none");
      }
      long offset = Format.FILE_HEADER_BYTES + at;
      Teller.expectUnderstood(reader, Format.ENTRY, Format.FOOTER, base.path, offset);
      if (reader.kind() == Format.FOOTER) {
        expectEnd(base, reader, at, entry - 1);
        return reader.durable();
      }
      if (reader.version() <= 0 || reader.version() > position) {
        throw base.corrupt(at, "a version up to " + position, String.valueOf(reader.version()));
      }
      // The order in the file is that of the last uses. There are fewer entries than positions
      // before the base's, so every stamp is below the sequences that follow.
      teller.tellEntry(reader, at, entry, base.path, offset);
    }
  }

  private void expectEnd(Contents base, FrameReader footer, long at, long entries) {
    if (footer.count() != entries) {
      throw base.corrupt(at, "a footer that counts " + entries + " entries", "" + footer.count());
    }
    if (footer.position() != base.bytes || footer.durable() < position) {
      throw base.corrupt(at, "a footer at the end", "one for " + footer.durable());
    }
  }

  @Override
  public void close() throws IOException {
    if (contents != null) {
      contents.file.close();
    }
  }
}
