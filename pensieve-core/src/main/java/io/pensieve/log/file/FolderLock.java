package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Keeps a folder for one log: against other processes by a file lock, in this one by a list. */
final class FolderLock implements Closeable {
  // POSIX drops a process's lock when any descriptor of the file is closed. So a second taker in
  // this process must be turned away before it opens the file: the list is asked first.
  private static final Set<Path> TAKEN = new HashSet<>(); // guarded by itself

  static final String NAME = "LOCK";

  private final Path folder;
  private final @Nullable FileChannel channel;

  private FolderLock(Path folder, @Nullable FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  private interface Locking {
    FolderLock lock(Path folder) throws IOException;
  }

  static FolderLock take(Path directory) throws IOException {
    return take(directory.toRealPath(), FolderLock::lock);
  }

  /**
   * Keeps a folder from being opened while it is read, and changes nothing in it. Other processes
   * may read it at the same time.
   */
  static FolderLock share(Path directory) throws IOException {
    return take(directory.toRealPath(), FolderLock::lockShared);
  }

  private static FolderLock take(Path folder, Locking locking) throws IOException {
    synchronized (TAKEN) {
      if (!TAKEN.add(folder)) {
        throw new LogException.Locked(folder + " is in use by another map of this process");
      }
    }
    boolean taken = false;
    try {
      FolderLock lock = locking.lock(folder);
      taken = true;
      return lock;
    } finally {
      if (!taken) {
        giveUp(folder);
      }
    }
  }

  private static FolderLock lock(Path folder) throws IOException {
    Path file = folder.resolve(NAME);
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (tryLock(channel, false) == null) {
        throw inUse(folder, file);
      }
      channel.truncate(0);
      String pid = ProcessHandle.current().pid() + "\n";
      channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)), 0);
      return new FolderLock(folder, channel);
    } catch (IOException | RuntimeException refused) {
      channel.close();
      throw refused;
    }
  }

  // A shared lock needs no more than a file that can be read.
  private static FolderLock lockShared(Path folder) throws IOException {
    Path file = folder.resolve(NAME);
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (NoSuchFileException notInUse) {
      return new FolderLock(folder, null);
    }
    FileLock lock;
    try {
      lock = tryLock(channel, true);
    } catch (IOException thereAreNoLocksHere) {
      channel.close();
      return new FolderLock(folder, null);
    }
    if (lock == null) {
      channel.close();
      throw inUse(folder, file);
    }
    return new FolderLock(folder, channel);
  }

  /** Whether other processes are kept out; if not, there was no lock to be had. */
  boolean isGuarded() {
    return channel != null;
  }

  private static LogException.Locked inUse(Path folder, Path file) {
    return new LogException.Locked(folder + " is in use by another process" + holder(file));
  }

  private static @Nullable FileLock tryLock(FileChannel channel, boolean shared)
      throws IOException {
    try {
      return channel.tryLock(0, Long.MAX_VALUE, shared);
    } catch (OverlappingFileLockException anotherClassLoaderHasIt) {
      return null;
    }
  }

  private static String holder(Path file) {
    try {
      String pid = Files.readString(file).trim();
      return pid.isEmpty() ? "" : " (pid " + pid + ")";
    } catch (IOException notReadable) {
      return "";
    }
  }

  private static void giveUp(Path folder) {
    synchronized (TAKEN) {
      TAKEN.remove(folder);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      if (channel != null) {
        channel.close();
      }
    } finally {
      giveUp(folder);
    }
  }
}
