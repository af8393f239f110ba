package io.pensieve.log.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * The few operations that a log needs of a disk. Tests use a disk that forgets and fails on demand.
 */
interface Disk {

  boolean isFolder(Path path);

  /** Creates a folder in an existing one. Does nothing if it exists already. */
  void createFolder(Path path) throws IOException;

  /** Locks a folder for this log alone, until the lock is closed. */
  Lock lock(Path directory) throws IOException;

  /** The lock that reserves a folder for one log. Thread-safe. */
  interface Lock extends Closeable {
    /** Throws if the folder no longer belongs to this log: deleted, or taken by another one. */
    void confirm() throws IOException;

    /**
     * Reacquires the operating system's lock, in case it was dropped. Due several times a second.
     */
    void renew() throws IOException;
  }

  /** The names of the files in a folder. */
  List<String> list(Path directory) throws IOException;

  /** Creates a file. Replaces the file or link that has the name. */
  File create(Path file) throws IOException;

  /** Opens an existing file. */
  File open(Path file) throws IOException;

  /** Renames a file. Replaces the file that had the name. */
  void rename(Path from, Path to) throws IOException;

  /** Deletes a file, or an empty folder. */
  void delete(Path file) throws IOException;

  /** Returns when creations, renames and deletions in this folder survive a power cut. */
  default void forceDirectory(Path directory) throws IOException {
    try (Folder folder = openFolder(directory)) {
      folder.force();
    }
  }

  /** Opens a folder, so that it can be forced later without a new descriptor. */
  Folder openFolder(Path directory) throws IOException;

  /** An open folder. */
  interface Folder extends Closeable {
    /** Returns when creations, renames and deletions in it survive a power cut. */
    void force() throws IOException;
  }

  /** The bytes that can still be written to this folder. */
  long usableBytes(Path directory) throws IOException;

  /** The size of the volume with this folder; 0 if unknown. */
  long totalBytes(Path directory) throws IOException;

  /**
   * A number that stays the same until the operating system restarts. Until then, every store to a
   * file or mapping can be read back. 0 if unknown.
   */
  long boot();

  /** A file. Positions are absolute, so that a write can be repeated. */
  interface File extends Closeable {
    long size() throws IOException;

    /** Fills the buffer from this position on. The file must be long enough. */
    void read(ByteBuffer into, long position) throws IOException;

    /** Writes the whole buffer. */
    void write(ByteBuffer from, long position) throws IOException;

    void truncate(long bytes) throws IOException;

    /** Returns when the content survives a power cut. A failed force must never be repeated. */
    void force() throws IOException;

    /**
     * Maps the file's bytes. Stores to them outlive the process. The mapping stays valid after the
     * file is closed.
     */
    ByteBuffer map(int bytes) throws IOException;

    @Override
    void close() throws IOException;
  }
}
