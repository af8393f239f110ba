package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One log a folder, whatever others do to its lock; and no lock that outlives its process. */
class FolderLockTest {
  private final Path folder;
  private final Path lockFile;

  FolderLockTest(@TempDir Path parent) throws IOException {
    this.folder = Files.createDirectory(parent.resolve("log"));
    this.lockFile = folder.resolve(FolderLock.NAME);
  }

  private static final ReplayHandler<String, String> SILENT =
      new ReplayHandler<>() {
        @Override
        public void change(long sequence, Change<String, String> change) {}

        @Override
        public void entry(Change.Put<String, String> put, long version, long stamp) {}

        @Override
        public void progress(long bytesRead, long bytesTotal) {}
      };

  private FileLog<String, String> open() {
    FileLog<String, String> log =
        FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(Durability.POWER_CUT);
    log.replay(SILENT);
    return log;
  }

  private static void write(FileLog<String, String> log) {
    log.awaitDurable(log.append(new Change.Put<>("k", "v")));
  }

  /** Tries to open a folder, and says how that went. */
  public static final class Opening {
    private Opening() {}

    public static void main(String[] args) {
      System.out.println(outcome(args[0]));
    }

    public static String outcome(String folder) {
      try {
        FileLog<String, String> log =
            FileLog.at(Path.of(folder), Codec.utf8(), Codec.utf8())
                .durability(Durability.POWER_CUT);
        log.replay(SILENT);
        log.close();
        return "opened";
      } catch (LogException.Locked refused) {
        return String.valueOf(refused.getMessage());
      }
    }
  }

  private String openedByAnotherProcess() throws IOException, InterruptedException {
    return firstLine(KilledProcess.start(Opening.class, List.of(folder.toString())));
  }

  private static String firstLine(Process process) throws IOException, InterruptedException {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      return String.valueOf(lines.readLine());
    } finally {
      assertTrue(process.waitFor(2, TimeUnit.MINUTES));
    }
  }

  private String openedByAnotherClassLoader() throws Exception {
    URL[] classes = {
      KilledProcess.place("classes").toUri().toURL(),
      KilledProcess.place("test-classes").toUri().toURL()
    };
    // No parent, since others find our own module's classes.
    try (URLClassLoader loader = new URLClassLoader(classes, null)) {
      Class<?> opening = loader.loadClass(Opening.class.getName());
      return (String) opening.getMethod("outcome", String.class).invoke(null, folder.toString());
    } catch (InvocationTargetException failed) {
      throw new AssertionError(failed.getCause());
    }
  }

  // Each of the three drops the operating system's lock.
  @Test
  void noOtherProcessGetsTheFolderWhateverThisOneHasRead() throws Exception {
    String refusal = folder.toRealPath() + " is in use by another process (pid " + ownPid() + ")";
    try (FileLog<String, String> log = open()) {
      Files.readAllBytes(lockFile);
      assertEquals(refusal, openedByAnotherProcess());
      write(log);
      assertEquals(
          folder.toRealPath() + " is in use by another class loader of this process",
          openedByAnotherClassLoader());
      assertEquals(refusal, openedByAnotherProcess());
      write(log);
      assertThrows(LogException.Locked.class, () -> OfflineLog.read(folder, new NoBytes()));
      assertEquals(refusal, openedByAnotherProcess());
      write(log);
    }
    assertEquals("opened", openedByAnotherProcess());
    assertEquals("opened", openedByAnotherClassLoader());
  }

  private static final class NoBytes implements ReplayHandler<byte[], byte[]> {
    @Override
    public void change(long sequence, Change<byte[], byte[]> change) {}

    @Override
    public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {}

    @Override
    public void progress(long bytesRead, long bytesTotal) {}
  }

  private static long ownPid() {
    return ProcessHandle.current().pid();
  }

  /** Locks a folder as a process in another container would, and renews the lock until killed. */
  static final class Foreigner {
    private Foreigner() {}

    public static void main(String[] args) throws IOException {
      Path folder = Path.of(args[0]);
      FolderLock lock = FolderLock.acquire(folder);
      Path file = folder.resolve(FolderLock.NAME);
      // This write is one of those that drop the lock.
      Files.write(file, foreign(LockOwner.here(LocalFiles.inode(file))).line());
      System.out.println("locked");
      for (int i = 0; i < 600; i++) {
        lock.renew();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      }
    }
  }

  private static LockOwner foreign(LockOwner owner) {
    return new LockOwner(
        owner.pid(), owner.start(), owner.boot(), "pid:[1]", owner.inode(), owner.token());
  }

  @Test
  void anOwnerWhoseProcessCannotBeSeenIsAskedByItsLock() throws Exception {
    Process foreigner = KilledProcess.start(Foreigner.class, List.of(folder.toString()));
    try {
      new BufferedReader(new InputStreamReader(foreigner.getInputStream(), StandardCharsets.UTF_8))
          .readLine();
      assertThrows(LogException.Locked.class, () -> FolderLock.acquire(folder));
      assertThrows(LogException.Locked.class, () -> FolderLock.share(folder));
    } finally {
      foreigner.destroyForcibly();
      assertTrue(foreigner.waitFor(2, TimeUnit.MINUTES));
    }
    FolderLock.acquire(folder).close(); // it does not hold the folder beyond its death
  }

  private LockOwner here() throws IOException {
    return LockOwner.here(LocalFiles.inode(lockFile));
  }

  private void leave(LockOwner owner) throws IOException {
    Files.write(lockFile, owner.line());
  }

  private void assertTaken() throws IOException {
    try (FolderLock lock = FolderLock.acquire(folder)) {
      assertTrue(lock.isGuarded());
    }
    assertEquals("\n", Files.readString(lockFile));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\0\0\0\0", "4711\n", "no line of ours", "1 2 3 4", "x 2 3 4 5 6\n"})
  void whatNamesNoOwnerDoesNotBlock(String content) throws IOException {
    Files.writeString(lockFile, content);
    assertTaken();
  }

  @Test
  void anOwnerThatHasEndedDoesNotBlock() throws IOException {
    Files.createFile(lockFile);
    LockOwner here = here();
    // The process id was given again, since the machine runs or in a container that came later.
    leave(new LockOwner(here.pid(), "1", here.boot(), here.namespace(), here.inode(), "0"));
    assertTaken();
    leave(new LockOwner("1", "1", here.boot(), here.namespace(), here.inode(), "0"));
    assertTaken();
    leave(new LockOwner("4194305", "1", here.boot(), here.namespace(), here.inode(), "0"));
    assertTaken(); // a process id that is never given
    leave(new LockOwner("1", here.start(), "another-boot", "pid:[1]", here.inode(), "0"));
    assertTaken();
    leave(new LockOwner("1", "-", "-", "-", here.inode(), "0"));
    assertTaken();
    leave(here); // of a class loader of this process that did not come to its end
    assertTaken();
  }

  @Test
  void anOwnerThatRunsBlocksWithoutALockAndACopyOfItsLineDoesNot() throws IOException {
    ProcessHandle parent = ProcessHandle.current().parent().orElseThrow();
    Path stat = Path.of("/proc", String.valueOf(parent.pid()), "stat");
    assumeTrue(Files.isReadable(stat), "needs /proc, and to see the parent process");
    String line = Files.readString(stat);
    String start = line.substring(line.lastIndexOf(')') + 2).split(" ", -1)[22 - 3];
    Files.createFile(lockFile);
    LockOwner here = here();
    String pid = String.valueOf(parent.pid());
    leave(new LockOwner(pid, start, here.boot(), here.namespace(), here.inode(), "0"));
    LogException.Locked refused =
        assertThrows(LogException.Locked.class, () -> FolderLock.acquire(folder));
    assertTrue(String.valueOf(refused.getMessage()).contains("(pid " + pid + ")"));
    assertThrows(LogException.Locked.class, () -> FolderLock.share(folder));

    leave(new LockOwner(pid, start, here.boot(), here.namespace(), here.inode() + "0", "0"));
    assertTaken();
  }

  @Test
  void aLogWhoseFolderAnotherOneTookFailsAtItsNextForce() throws IOException {
    FileLog<String, String> log = open();
    write(log);
    leave(foreign(here()));
    assertTookNoMore(log, "another one took it");
    assertTrue(Files.readString(lockFile).contains("pid:[1]"), "and leaves the other's line there");
  }

  @Test
  void aLogWhoseLockFileIsGoneFailsAtItsNextForce() throws IOException {
    FileLog<String, String> log = open();
    write(log);
    Files.delete(lockFile);
    assertTookNoMore(log, "LOCK is gone");
  }

  @Test
  void aLogWhoseFolderIsReplacedByACopyFailsAtItsNextForce() throws IOException {
    FileLog<String, String> log = open();
    write(log);
    Path moved = Files.move(folder, folder.resolveSibling("moved"));
    Files.createDirectory(folder);
    try (var files = Files.list(moved)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
    // Which of both reasons it is depends on whether a spare segment is forced meanwhile.
    assertTookNoMore(log, "does not belong to this log any more: LOCK");
  }

  @Test
  void aLogWhoseLockFileIsReplacedByACopyFailsAtItsNextForce() throws IOException {
    FileLog<String, String> log = open();
    write(log);
    Path copy = Files.copy(lockFile, folder.resolveSibling("copy"));
    Files.move(copy, lockFile, StandardCopyOption.ATOMIC_MOVE);
    assertTookNoMore(log, "LOCK was replaced");
  }

  private void assertTookNoMore(FileLog<String, String> log, String why) {
    LogException.Failed failed = assertThrows(LogException.Failed.class, () -> write(log));
    String message = String.valueOf(failed.getMessage());
    assertTrue(message.contains(folder.toString()) && message.contains(why), message);
    assertThrows(LogException.Failed.class, log::close);
  }

  @Test
  void aLogThatIsClosedByAnInterruptedThreadLeavesNoOwner() throws IOException {
    FileLog<String, String> log = open();
    Thread.currentThread().interrupt();
    log.close();
    assertTrue(Thread.interrupted(), "the flag is kept");
    assertEquals("\n", Files.readString(lockFile));
  }

  /** So that a full heap leaves no owner behind. What is left is how Java closes a channel. */
  @Test
  void toLetGoOfTheFolderTakesNoMemoryOfOurOwn() throws Exception {
    long closing = Long.MAX_VALUE;
    for (int i = 0; i < 20; i++) { // the first one initialises classes
      FolderLock lock = FolderLock.acquire(folder);
      long before = AllocatedBytes.ofThisThread();
      lock.close();
      closing = Math.min(closing, AllocatedBytes.ofThisThread() - before);
    }
    assertTrue(closing < 2000, closing + " bytes");
  }

  @Test
  void aLinkIsNeverFollowed() throws IOException {
    Path other = Files.writeString(folder.resolveSibling("other"), "of somebody else");
    Files.createSymbolicLink(lockFile, other);
    assertThrows(LogException.Failed.class, this::open);
    assertEquals("of somebody else", Files.readString(other));
    Files.delete(lockFile);

    for (String name : List.of("ring.tmp", "first.tmp", "next.tmp", "spare.tmp")) {
      Files.createSymbolicLink(folder.resolve(name), other);
    }
    open().close();
    assertEquals("of somebody else", Files.readString(other));

    Files.move(folder.resolve("ring"), folder.resolveSibling("ring"));
    Files.createSymbolicLink(folder.resolve("ring"), folder.resolveSibling("ring"));
    assertThrows(LogException.Failed.class, this::open);
  }

  @Test
  void filesAndFoldersAreTheirOwnersAlone() throws IOException {
    assumeTrue(
        folder.getFileSystem().supportedFileAttributeViews().contains("posix"),
        "this file system has no permissions");
    Path made = folder.resolve("above").resolve("log");
    try (FileLog<String, String> log =
        FileLog.at(made, Codec.utf8(), Codec.utf8()).durability(Durability.POWER_CUT)) {
      log.replay(SILENT);
      write(log);
      try (var all = Files.walk(folder.resolve("above"))) {
        for (Path path : all.toList()) {
          String expected = Files.isDirectory(path) ? "rwx------" : "rw-------";
          assertEquals(
              expected,
              PosixFilePermissions.toString(
                  Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS)),
              path.toString());
        }
      }
    }
    assertFalse(Files.exists(folder.resolve("ring.tmp")));
  }
}
