package io.pensieve.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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

  private static final String NAME = "LOCK";

  private final Path folder;
  private final FileChannel channel;

  private FolderLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  static FolderLock take(Path directory) throws IOException {
    Path folder = directory.toRealPath();
    synchronized (TAKEN) {
      if (!TAKEN.add(folder)) {
        throw new LogException.Locked(folder + " is in use by another map of this process");
      }
    }
    boolean taken = false;
    try {
      FolderLock lock = lock(folder);
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
      if (tryLock(channel) == null) {
        throw new LogException.Locked(folder + " is in use by another process" + holder(file));
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

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
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
      channel.close();
    } finally {
      giveUp(folder);
    }
  }
}
