package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Reserves a folder for one log, against other processes and other logs of this process. For
 * threads that no interrupt reaches (UninterruptibleThread): an interrupt closes the file that its
 * thread uses.
 */
final class FolderLock implements Disk.Lock {
  // POSIX drops a process's locks on a file when the process closes any descriptor of that file. So
  // code that copies the folder in this process, or opens it from another class loader, drops the
  // locks silently. Every lock that Java offers has this weakness. Hence three parts, each for what
  // the others cannot do:
  //
  // 1. The operating system's lock, on two bytes. Of two processes that open a folder at once, one
  //    gets it. The owner reacquires the bytes in turn, several times a second, so a dropped lock
  //    comes back. A taker needs both bytes, and always finds one of them locked. Java's own table
  //    of locks refuses other class loaders, whatever POSIX has dropped.
  // 2. The owner's line in the file (LockOwner), deleted at a clean close. A taker that gets the
  //    lock and finds a line checks whether that process runs. If it runs, it has the folder, with
  //    or without a lock. If the taker cannot know (another machine, another container), it
  //    releases the lock for longer than an owner needs to reacquire it. Then it tries to acquire
  //    the lock again.
  // 3. The owner reads its line again before it acknowledges a force. A taker writes its own line
  //    before it reads the log. So everything acknowledged was there when the taker read. An owner
  //    that stood still so long that it was taken for dead finds out before it acknowledges more.
  //
  // A line never blocks forever: it counts only while its process runs, or while its lock is held.

  static final String NAME = "LOCK";

  private static final int LOCKED_BYTES = 2;
  private static final int LINE_BYTES_MAX = 512;
  private static final long OWNER_NANOS = 400_000_000; // four times the renewal interval
  private static final int ATTEMPTS = 8;

  // Refuses a second log of this class loader before it opens the file.
  @GuardedBy("TAKEN")
  private static final Set<Path> TAKEN = new HashSet<>();

  private final Path folder;
  private final @Nullable LockFile file; // null if there is no file to lock

  private FolderLock(Path folder, @Nullable LockFile file) {
    this.folder = folder;
    this.file = file;
  }

  private interface Locking {
    @Nullable LockFile lock(Path file) throws IOException;
  }

  static FolderLock acquire(Path directory) throws IOException {
    return acquire(directory.toRealPath(), FolderLock::lockAlone);
  }

  /**
   * Prevents maps from opening the folder while it is read. Changes nothing in it. Other processes
   * may read it at the same time.
   */
  static FolderLock share(Path directory) throws IOException {
    return acquire(directory.toRealPath(), FolderLock::lockShared);
  }

  private static FolderLock acquire(Path folder, Locking locking) throws IOException {
    boolean isMine = false; // set before add: a set without memory to grow has added it
    boolean taken = false;
    try {
      synchronized (TAKEN) {
        if (TAKEN.contains(folder)) {
          throw new LogException.Locked(folder + " is in use by another map of this process");
        }
        isMine = true;
        TAKEN.add(folder);
      }
      FolderLock lock = new FolderLock(folder, locking.lock(folder.resolve(NAME)));
      taken = true;
      return lock;
    } finally {
      if (isMine && !taken) {
        abandon(folder);
      }
    }
  }

  private static LockFile lockAlone(Path path) throws IOException {
    LockFile file = lock(path, () -> LockFile.create(path));
    try {
      file.writeOwner();
      return file;
    } catch (IOException | RuntimeException | Error refused) {
      file.channel.close();
      throw refused;
    }
  }

  private static @Nullable LockFile lockShared(Path path) throws IOException {
    try {
      return lock(path, () -> LockFile.openToRead(path));
    } catch (NoSuchFileException notInUse) {
      return null;
    }
  }

  private interface Opening {
    LockFile open() throws IOException;
  }

  /** Locks the file for the caller, whatever an ended owner may have left in it. */
  private static LockFile lock(Path path, Opening opening) throws IOException {
    byte[] asked = {};
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      LockFile file = opening.open();
      byte[] found;
      boolean mayBeTaken = false;
      try {
        if (!file.tryLock()) {
          throw inUse(path, file.read());
        }
        found = file.read();
        mayBeTaken = file.isStillThere() && file.isFree(found, asked);
      } finally {
        if (!mayBeTaken) {
          file.channel.close();
        }
      }
      if (mayBeTaken) {
        return file;
      }
      if (found.length > 0) {
        asked = found;
        waitForOwner();
      }
    }
    throw inUse(path, asked);
  }

  private static void waitForOwner() {
    long start = System.nanoTime();
    for (long left = OWNER_NANOS; left > 0; left = OWNER_NANOS - (System.nanoTime() - start)) {
      LockSupport.parkNanos(left);
    }
  }

  private static LogException.Locked inUse(Path file, byte[] found) {
    LockOwner owner = LockOwner.parse(found);
    String who =
        owner == null
            ? "another process"
            : owner.isHere(LockOwner.here(""))
                ? "another class loader of this process"
                : "another process (pid " + owner.pid() + ")";
    return new LogException.Locked(file.getParent() + " is in use by " + who);
  }

  /** The open file. All positions are absolute. The channel is the only descriptor of the file. */
  private static final class LockFile {
    private final Path path;
    private final FileChannel channel;
    private final boolean isShared;
    private final Object key; // of the file at the path before it was opened
    private final LockOwner here;
    private final @Nullable FileLock[] locks = new FileLock[LOCKED_BYTES];

    // Direct buffers: confirm() and close() need no memory, since the JDK copies nothing.
    private final ByteBuffer line;
    private final ByteBuffer nobody = ByteBuffer.allocateDirect(1).put(0, (byte) '\n');
    private final ByteBuffer found = ByteBuffer.allocateDirect(LINE_BYTES_MAX);
    private int renewed; // the byte to reacquire next

    private LockFile(Path path, FileChannel channel, boolean isShared, Object key)
        throws IOException {
      this.path = path;
      this.channel = channel;
      this.isShared = isShared;
      this.key = key;
      this.here = LockOwner.here(LocalFiles.inode(path));
      byte[] bytes = here.line();
      this.line = ByteBuffer.allocateDirect(bytes.length).put(0, bytes);
    }

    static LockFile create(Path path) throws IOException {
      if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
        LocalFiles.open(path, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE)).close();
      }
      return open(path, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE), false);
    }

    static LockFile openToRead(Path path) throws IOException {
      return open(path, Set.of(StandardOpenOption.READ), true);
    }

    // Read the key first: if the path names another file afterwards, isStillThere() detects that.
    private static LockFile open(Path path, Set<OpenOption> options, boolean isShared)
        throws IOException {
      Object key = LocalFiles.key(path);
      FileChannel channel = LocalFiles.open(path, options);
      try {
        return new LockFile(path, channel, isShared, key);
      } catch (IOException | RuntimeException | Error refused) {
        channel.close();
        throw refused;
      }
    }

    boolean tryLock() throws IOException {
      for (int at = 0; at < LOCKED_BYTES; at++) {
        if (!tryLock(at)) {
          return false;
        }
      }
      return true;
    }

    private boolean tryLock(int at) throws IOException {
      try {
        locks[at] = channel.tryLock(at, 1, isShared);
        return locks[at] != null;
      } catch (OverlappingFileLockException anotherClassLoaderHasIt) {
        return false;
      } catch (IOException thereAreNoLocksHere) {
        if (isShared) {
          return true;
        }
        throw thereAreNoLocksHere;
      }
    }

    boolean isLocked() {
      return locks[LOCKED_BYTES - 1] != null;
    }

    boolean isStillThere() throws IOException {
      return key.equals(LocalFiles.key(path));
    }

    /**
     * Whether the owner that left these bytes has ended. `asked` holds the bytes already waited
     * for.
     */
    boolean isFree(byte[] found, byte[] asked) {
      LockOwner owner = LockOwner.parse(found);
      if (owner == null || !owner.hasInodeOf(here) || owner.isHere(here)) {
        return true; // no owner; or a copied folder; or ours, which Java says has ended
      }
      return switch (owner.liveness(here)) {
        case ENDED -> true;
        case UNKNOWN -> Arrays.equals(found, asked);
        case ALIVE -> throw inUse(path, found);
      };
    }

    byte[] read() throws IOException {
      ByteBuffer content = ByteBuffer.allocate(LINE_BYTES_MAX);
      int bytes = channel.read(content, 0);
      return Arrays.copyOf(content.array(), Math.max(0, bytes));
    }

    // Overwrites the old content, then truncates: a full disk has no space for an emptied file.
    void writeOwner() throws IOException {
      write(line);
    }

    void writeNobody() throws IOException {
      write(nobody);
    }

    private void write(ByteBuffer content) throws IOException {
      channel.write(content.rewind(), 0);
      channel.truncate(content.limit());
    }

    boolean isOurs() throws IOException {
      channel.read(found.clear(), 0);
      return found.flip().equals(line.rewind());
    }

    void renew() throws IOException {
      FileLock old = locks[renewed];
      if (old != null) {
        old.release();
      }
      // A taker that checks our line may hold this byte just now. Then the next call retries it.
      if (tryLock(renewed)) {
        renewed = (renewed + 1) % LOCKED_BYTES;
      }
    }
  }

  /** Whether the lock excludes other processes; false if no lock could be acquired. */
  boolean isGuarded() {
    return file != null && file.isLocked();
  }

  @Override
  public synchronized void confirm() throws IOException {
    if (file == null || !file.channel.isOpen()) {
      return;
    }
    try {
      if (!file.isStillThere()) {
        throw new IOException(folder + " does not belong to this log any more: LOCK was replaced");
      }
    } catch (NoSuchFileException deleted) {
      throw new IOException(
          folder + " does not belong to this log any more: LOCK is gone", deleted);
    }
    if (!file.isOurs()) {
      throw new IOException(folder + " does not belong to this log any more: another one took it");
    }
  }

  @Override
  public synchronized void renew() throws IOException {
    if (file != null && file.channel.isOpen()) {
      file.renew();
    }
  }

  private static void abandon(Path folder) {
    synchronized (TAKEN) {
      TAKEN.remove(folder);
    }
  }

  @Override
  public synchronized void close() throws IOException {
    try {
      if (file != null) {
        close(file);
      }
    } finally {
      abandon(folder);
    }
  }

  private static void close(LockFile file) throws IOException {
    // Not try-with-resources: that refuses an OutOfMemoryError which is thrown twice.
    FileChannel channel = file.channel;
    try {
      if (channel.isOpen() && !file.isShared && file.isOurs()) {
        file.writeNobody();
      }
    } finally {
      channel.close();
    }
  }
}
