package io.pensieve.log.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * Copies a log into a folder of its own: a base, then frames. The copy does not count until it is
 * {@linkplain #finish finished}. For one thread at a time.
 */
final class LogCopy implements Closeable {
  // The mark `unfinished` is created before any other file, and deleted when all others are forced.
  // So a crash leaves either a folder that is refused, or the whole log. Frames keep their
  // positions, so changes keep their sequences. Unreadable places become padding, or skipped
  // positions between two segments. The last segment has only a close marker. It knows that all
  // before it was forced, so any damage to the copy is refused.

  /**
   * How many positions the copy skips behind the copied history. The original may go on, too, and
   * no sequence may mean two changes.
   */
  static final long POSITIONS_SKIPPED = 1L << 40;

  private static final int PADDING_BYTES_MAX = 64 << 10;
  private static final int BUFFER_BYTES = 256 << 10;
  private static final long SEGMENT_BYTES = 16 << 20;
  private static final SecureRandom SALTS = new SecureRandom();

  private final LogDirectory directory;
  private final Disk disk;
  private final Disk.Lock lock;
  private final boolean madeFolder;
  private final long salt = SALTS.nextLong();
  private final Format.Checksum checksum = new Format.Checksum(salt);

  private @Nullable BaseWriter base;
  private Disk.@Nullable File segment;
  private long firstPosition; // the segment's first position
  private long written; // frames before it are in the segment's file
  private long next; // where the copied history ends
  private byte[] buffer = new byte[BUFFER_BYTES]; // the frames from `written` to `next`
  private boolean ended;

  private LogCopy(LogDirectory directory, Disk.Lock lock, boolean madeFolder) {
    this.directory = directory;
    this.disk = directory.disk();
    this.lock = lock;
    this.madeFolder = madeFolder;
  }

  /**
   * Begins a copy in a folder that is empty or missing.
   *
   * @throws IllegalArgumentException if the folder is not empty
   */
  static LogCopy create(Disk disk, Path folder, CodecNames codecs) throws IOException {
    boolean isMissing = !disk.isFolder(folder.toAbsolutePath());
    if (!isMissing) {
      checkEmpty(disk, folder);
    }
    LogDirectory directory = new LogDirectory(disk, folder).withCodecs(codecs);
    directory.make();
    Disk.Lock lock = lock(disk, folder);
    LogCopy copy = null;
    try {
      copy = new LogCopy(directory, lock, isMissing);
      copy.mark();
      return copy;
    } catch (IOException | RuntimeException | Error refused) {
      if (copy == null) {
        lock.close();
      } else {
        copy.discardAfter(refused);
      }
      throw refused;
    }
  }

  // If two copies begin at once, one finds the other's mark.
  private static Disk.Lock lock(Disk disk, Path folder) throws IOException {
    Disk.Lock lock = disk.lock(folder);
    try {
      checkEmpty(disk, folder);
      return lock;
    } catch (IOException | RuntimeException | Error refused) {
      lock.close();
      throw refused;
    }
  }

  private void mark() throws IOException {
    disk.create(directory.unfinished()).close();
    disk.forceDirectory(directory.folder());
  }

  // The lock file does not count: a failed copy may have left its own.
  private static void checkEmpty(Disk disk, Path folder) throws IOException {
    for (String name : disk.list(folder)) {
      if (!name.equals(FolderLock.NAME)) {
        throw new IllegalArgumentException(
            "a copy of a log needs a folder that is empty or not there yet; "
                + folder
                + " holds "
                + name);
      }
    }
  }

  /** Begins the base of the history before this position. */
  BaseWriter beginBase(long position) throws IOException {
    BaseWriter begun = BaseWriter.create(directory, position, SALTS.nextLong());
    base = begun;
    next = position;
    written = position;
    return begun;
  }

  /** Completes the base. The frames that follow reach at least to this position. */
  void endBase(long end) throws IOException {
    BaseWriter complete = base;
    if (complete == null) {
      throw new IllegalStateException("no base was begun");
    }
    complete.finish(end);
    complete.rename();
    complete.close();
    base = null;
  }

  /** Where the copied history ends. */
  long end() {
    return next;
  }

  /** Adds a whole frame from another file, at its own position. Changes the array. */
  void add(byte[] frame, long position) throws IOException {
    bridge(position, frame.length);
    int buffered = (int) (next - written);
    if (buffer.length - buffered < frame.length) {
      write();
      buffered = 0;
      buffer = buffer.length < frame.length ? new byte[frame.length] : buffer;
    }
    Format.reseal(frame, 0, checksum);
    System.arraycopy(frame, 0, buffer, buffered, frame.length);
    next += frame.length;
  }

  private void bridge(long position, int bytes) throws IOException {
    long gap = position - next;
    boolean fits = segment != null && position + bytes - firstPosition <= SEGMENT_BYTES;
    if (!fits || gap > PADDING_BYTES_MAX || (gap > 0 && gap < Format.FRAME_HEADER_BYTES)) {
      endSegment();
      beginSegment(position);
    } else if (gap > 0) {
      add(Format.bareFrame(Format.PADDING, (int) gap, next, 0, salt), next);
    }
  }

  private void beginSegment(long position) throws IOException {
    Disk.File begun = disk.create(directory.temporary(LogDirectory.COPY));
    segment = begun;
    firstPosition = position;
    begun.write(
        ByteBuffer.wrap(directory.codecs().in(FileHeader.segment(position, next, salt).encode())),
        0);
    next = position;
    written = position;
  }

  private void endSegment() throws IOException {
    Disk.File complete = segment;
    if (complete != null) {
      write();
      directory.publish(
          complete, directory.temporary(LogDirectory.COPY), directory.segment(firstPosition));
      complete.close();
      segment = null;
    }
  }

  private void write() throws IOException {
    Disk.File file = segment;
    if (file != null && next > written) {
      file.write(
          ByteBuffer.wrap(buffer, 0, (int) (next - written)),
          FileHeader.BYTES + written - firstPosition);
      written = next;
    }
  }

  /**
   * Finishes the copy. It is then a cleanly closed log that survives a power cut.
   *
   * @param highest the highest position known to have been used
   */
  void finish(long highest) throws IOException {
    endSegment();
    long position = (Math.max(highest, next) & -Format.FRAME_ALIGNMENT) + POSITIONS_SKIPPED;
    beginSegment(position);
    add(
        Format.bareFrame(Format.CLOSE, Format.FRAME_HEADER_BYTES, position, position, salt),
        position);
    endSegment();
    disk.delete(directory.unfinished());
    disk.forceDirectory(directory.folder());
    ended = true;
    lock.close();
  }

  /** Deletes a copy that was not finished. */
  void discard() throws IOException {
    if (ended) {
      return;
    }
    ended = true;
    try {
      close();
      if (!directory.isUnfinished()) {
        mark();
      }
      directory.deleteCopy();
      disk.delete(directory.unfinished());
      disk.forceDirectory(directory.folder());
    } finally {
      lock.close();
    }
    if (madeFolder) {
      removeFolder();
    }
  }

  /** As {@link #discard}, after another failure. Adds its own to that one. */
  void discardAfter(Throwable broken) {
    try {
      discard();
    } catch (IOException alsoBroken) {
      broken.addSuppressed(alsoBroken);
    }
  }

  private void removeFolder() throws IOException {
    for (String name : disk.list(directory.folder())) {
      if (name.equals(FolderLock.NAME)) {
        disk.delete(directory.folder().resolve(name));
      }
    }
    disk.delete(directory.folder());
  }

  @Override
  public void close() throws IOException {
    if (segment != null) {
      segment.close();
    }
    if (base != null) {
      base.close();
    }
  }
}
