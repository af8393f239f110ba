package io.pensieve.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Reads files again when they change, on a thread of its own, until it is closed. */
final class FileReloader implements AutoCloseable {
  private static final int FILE_BYTES_MAX = 1 << 20;

  /*
   * Contents are compared, not times: these are small files, times are coarse, and folders that are
   * swapped by a symbolic link, as Kubernetes does, show old times. A content is used when it was
   * seen twice in a row, so that a file that is being written is not read in the middle.
   */
  private static final Duration START_PATIENCE = Duration.ofSeconds(10);
  private static final long STOP_MILLIS_MAX = 1_000;

  private final PrintStream err;
  private final Semaphore wakings = new Semaphore(0); // one to look at once, or to see the end
  private volatile boolean closed;
  private final List<WatchedFiles> watched = new ArrayList<>(); // complete before the thread starts
  private final Thread thread;

  /** What is done with the contents of files. */
  interface FileConsumer {
    /**
     * Uses them from now on.
     *
     * @throws IllegalArgumentException if they cannot be used, and why, without quoting them; what
     *     was used before stays in use
     */
    void of(List<byte[]> contents);
  }

  /**
   * Reloads that have not begun.
   *
   * @param period how often to look
   * @param err is told what was read again, and what could not be used
   */
  FileReloader(Duration period, PrintStream err) {
    this.err = err;
    this.thread = new Thread(() -> lookEvery(period), "pensieve-reload");
    thread.setDaemon(true);
  }

  /**
   * Uses the files now, and after {@link #start} whenever one of them has changed. What is no file,
   * like a pipe, is read now and never again: that could wait for ever.
   *
   * @param name what people call them
   * @throws StartupException if they cannot be read or used now
   */
  void use(String name, List<Path> files, FileConsumer fileConsumer) {
    WatchedFiles added = new WatchedFiles(name, files, fileConsumer);
    try {
      added.contents = readInTime(files);
      fileConsumer.of(added.contents);
    } catch (IOException | IllegalArgumentException unusable) {
      throw new StartupException(name + " " + files + ": " + reason(unusable), unusable);
    }
    if (files.stream().allMatch(Files::isRegularFile)) {
      watched.add(added);
    } else {
      err.println(name + " " + files + ": no regular file, so it is not read again");
    }
  }

  // On a thread of its own: nothing can end the opening of a pipe that nobody writes to.
  private static List<byte[]> readInTime(List<Path> files) throws IOException {
    FutureTask<List<byte[]>> reading = new FutureTask<>(() -> read(files));
    Thread reader = new Thread(reading, "pensieve-first-read");
    reader.setDaemon(true);
    reader.start();
    try {
      return reading.get(START_PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException blocked) {
      throw new IOException("not read within " + START_PATIENCE.toSeconds() + " s", blocked);
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } catch (ExecutionException failed) {
      throw failed.getCause() instanceof IOException broken ? broken : new IOException(failed);
    }
  }

  /** Warns of a file with secrets that everybody on this machine can read or write. */
  static void warnIfOthersCanUse(Path file, PrintStream err) {
    try {
      Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
      boolean readable = permissions.contains(PosixFilePermission.OTHERS_READ);
      boolean writable = permissions.contains(PosixFilePermission.OTHERS_WRITE);
      if (readable || writable) {
        err.println(
            "warning: everybody on this machine can "
                + (readable && writable ? "read and write " : readable ? "read " : "write ")
                + file
                + "; chmod "
                + (readable && writable ? "o-rw" : readable ? "o-r" : "o-w")
                + " would help");
      }
    } catch (IOException | UnsupportedOperationException cannotTell) {
      // A file system without such permissions has nothing to warn of.
    }
  }

  /** Starts to look. */
  void start() {
    if (!watched.isEmpty()) {
      thread.start();
    }
  }

  private void lookEvery(Duration period) {
    try {
      while (!closed) {
        boolean asked = wakings.tryAcquire(period.toNanos(), TimeUnit.NANOSECONDS);
        for (WatchedFiles files : watched) {
          look(files, asked);
        }
      }
    } catch (InterruptedException alsoCloses) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Looks at all files soon, and uses what has changed, without a second look: somebody says that
   * it is complete.
   */
  void lookNow() {
    wakings.release();
  }

  private void look(WatchedFiles files, boolean asked) {
    if (closed) {
      return;
    }
    try {
      List<byte[]> now = readRegular(files.paths);
      boolean seenTwice = asked || same(now, files.seen);
      files.seen = now;
      files.failure = "";
      if (seenTwice && !same(now, files.contents)) {
        files.contents = now; // also if they are of no use, lest that be told for ever
        files.fileConsumer.of(now);
        err.println(files.name + " " + files.paths + ": read again");
      }
    } catch (IOException | IllegalArgumentException unusable) {
      String failure = reason(unusable);
      if (!failure.equals(files.failure)) {
        files.failure = failure;
        err.println(
            files.name
                + " "
                + files.paths
                + ": "
                + failure
                + "; what was read before stays in use");
      }
    }
  }

  // A pipe in the place of a file would be waited for; what is between the two steps is as small as
  // can be, and the close does not wait for this thread for long.
  private static List<byte[]> readRegular(List<Path> files) throws IOException {
    for (Path file : files) {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new IOException(file + " is no regular file");
      }
    }
    return read(files);
  }

  private static List<byte[]> read(List<Path> files) throws IOException {
    List<byte[]> contents = new ArrayList<>();
    for (Path file : files) {
      try (InputStream in = Files.newInputStream(file)) {
        byte[] content = in.readNBytes(FILE_BYTES_MAX + 1);
        if (content.length > FILE_BYTES_MAX) {
          throw new IOException("longer than " + FILE_BYTES_MAX + " bytes");
        }
        contents.add(content);
      } catch (NoSuchFileException missing) {
        throw new IOException(file + " is not there", missing);
      }
    }
    return contents;
  }

  private static boolean same(List<byte[]> one, List<byte[]> other) {
    return Arrays.deepEquals(one.toArray(), other.toArray());
  }

  private static String reason(Exception unusable) {
    String message = String.valueOf(unusable.getMessage());
    return unusable instanceof IOException ? "cannot be read: " + message : message;
  }

  /** Stops to look, without waiting for long for a file that cannot be read. */
  @Override
  public void close() {
    closed = true;
    wakings.release();
    try {
      thread.join(STOP_MILLIS_MAX);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
  }

  /** Files that belong together. For the thread that looks, once that runs. */
  private static final class WatchedFiles {
    final String name;
    final List<Path> paths;
    final FileConsumer fileConsumer;
    List<byte[]> contents = List.of(); // those in use, or refused since
    List<byte[]> seen = List.of();
    String failure = "";

    WatchedFiles(String name, List<Path> paths, FileConsumer fileConsumer) {
      this.name = name;
      this.paths = paths;
      this.fileConsumer = fileConsumer;
    }
  }
}
