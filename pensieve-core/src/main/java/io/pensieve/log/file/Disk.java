package io.pensieve.log.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** The few things that a log asks of a disk, so that another disk can forget and fail on demand. */
interface Disk {

  boolean isFolder(Path path);

  /** Creates a folder in one that exists; does nothing if it exists already. */
  void createFolder(Path path) throws IOException;

  /** Takes a folder for this log alone, until the answer is closed. */
  Lock lock(Path directory) throws IOException;

  /** What keeps a folder for one log. May be used by several threads. */
  interface Lock extends Closeable {
    /** Throws if the folder is not this log's any more: deleted, or taken by another one. */
    void confirm() throws IOException;

    /** Sees to it that others are kept out, whatever has happened. Due several times a second. */
    void renew() throws IOException;
  }

  /** The names of the files in a folder. */
  List<String> list(Path directory) throws IOException;

  /** Creates a file, in place of the file or link that has the name. */
  File create(Path file) throws IOException;

  /** Opens a file that exists. */
  File open(Path file) throws IOException;

  /** Gives a file another name, in place of the file that had it. */
  void rename(Path from, Path to) throws IOException;

  /** Deletes a file, or an empty folder. */
  void delete(Path file) throws IOException;

  /** Returns when creations, renames and deletions in this folder will survive a power cut. */
  default void forceDirectory(Path directory) throws IOException {
    try (Folder folder = openFolder(directory)) {
      folder.force();
    }
  }

  /** Opens a folder, to be forced later when there may be no descriptor left to open it with. */
  Folder openFolder(Path directory) throws IOException;

  /** A folder that is open. */
  interface Folder extends Closeable {
    /** Returns when creations, renames and deletions in it will survive a power cut. */
    void force() throws IOException;
  }

  /** How much can still be written to this folder. */
  long usableBytes(Path directory) throws IOException;

  /** How large the volume is that holds this folder; 0 if that is not known. */
  long totalBytes(Path directory) throws IOException;

  /**
   * A number that is the same as long as the operating system runs, so that whatever was written to
   * a file or a mapping can be read; 0 if that is not known.
   */
  long boot();

  /** A file; positions are absolute, so that a write can be repeated. */
  interface File extends Closeable {
    long size() throws IOException;

    /** Fills the buffer from this position on. The file must be long enough. */
    void read(ByteBuffer into, long position) throws IOException;

    /** Writes the whole buffer. */
    void write(ByteBuffer from, long position) throws IOException;

    void truncate(long bytes) throws IOException;

    /** Returns when the content survives a power cut. Never to be repeated once it has failed. */
    void force() throws IOException;

    /**
     * The file's bytes as memory: what is stored there outlives the process. Valid when the file is
     * closed, too.
     */
    ByteBuffer map(int bytes) throws IOException;

    @Override
    void close() throws IOException;
  }
}
