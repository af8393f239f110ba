package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;

/** Writes a base. Entries collect in memory until {@link #write} writes them. */
final class BaseWriter implements Closeable {
  // Force every MiB: the log writer's forces wait for everything handed to the disk before them.
  private static final int FORCE_BYTES = 1 << 20;

  private final LogDirectory directory;
  private final Path temporary;
  private final Disk.File file;
  private final long position;
  private final long salt;
  private final Format.Checksum checksum;

  private byte[] buffer = {};
  private int buffered;
  private long written; // bytes of frames in the file
  private long forced; // the forced part of these bytes
  private long count;

  private BaseWriter(
      LogDirectory directory, Path temporary, Disk.File file, long position, long salt) {
    this.directory = directory;
    this.temporary = temporary;
    this.file = file;
    this.position = position;
    this.salt = salt;
    this.checksum = new Format.Checksum(salt);
  }

  /** Begins a base of the history before this position. */
  static BaseWriter create(LogDirectory directory, long position, long salt) throws IOException {
    Path temporary = temporary(directory);
    Disk.File file = directory.disk().create(temporary);
    try {
      file.write(
          ByteBuffer.wrap(directory.codecs().in(FileHeader.base(position, salt).encode())), 0);
      return new BaseWriter(directory, temporary, file, position, salt);
    } catch (IOException | RuntimeException refused) {
      file.close();
      directory.disk().delete(temporary);
      throw refused;
    }
  }

  static Path temporary(LogDirectory directory) {
    return directory.temporary(LogDirectory.BASE);
  }

  long position() {
    return position;
  }

  /** The bytes of all entries so far. */
  long bytes() {
    return written + buffered;
  }

  int buffered() {
    return buffered;
  }

  void add(byte[] key, byte[] value, long expiryMillis, long version) {
    int bytes = Format.align((int) Format.frameLength(key, value, expiryMillis));
    if (buffer.length - buffered < bytes) {
      buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, buffered + bytes));
    }
    Arrays.fill(buffer, buffered, buffered + bytes, (byte) 0);
    Format.entry(buffer, buffered, key, value, expiryMillis, bytes(), version, checksum);
    buffered += bytes;
    count++;
  }

  /**
   * Adds entries until so many bytes are buffered, or there are no more. Leaves out entries written
   * beyond the base's position: recovery replays their changes after the base.
   *
   * @return whether there are no more entries
   */
  <K, V> boolean addUntil(
      int bytes,
      Iterator<LiveEntries.LiveEntry<K, V>> walked,
      Codec<K> keyCodec,
      Codec<V> valueCodec) {
    while (walked.hasNext()) {
      LiveEntries.LiveEntry<K, V> entry = walked.next();
      if (entry.version() <= position) {
        Change.Put<K, V> put = entry.put();
        byte[] key = keyCodec.encode(put.key());
        byte[] value = valueCodec.encode(put.value());
        add(key, value, put.expiryMillis(), entry.version());
      }
      if (buffered >= bytes) {
        return false;
      }
    }
    return true;
  }

  void write() throws IOException {
    file.write(ByteBuffer.wrap(buffer, 0, buffered), FileHeader.BYTES + written);
    written += buffered;
    buffered = 0;
    if (written - forced >= FORCE_BYTES) {
      file.force();
      forced = written;
    }
  }

  /**
   * Finishes and forces the file. It then survives a power cut under its temporary name.
   *
   * @param durable the position up to which the log is forced
   */
  void finish(long durable) throws IOException {
    write();
    file.write(
        ByteBuffer.wrap(Format.footer(written, durable, count, salt)), FileHeader.BYTES + written);
    file.force();
  }

  /** Renames the finished file to its final name. The caller must then force the folder. */
  void rename() throws IOException {
    directory.disk().rename(temporary, directory.base(position));
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
