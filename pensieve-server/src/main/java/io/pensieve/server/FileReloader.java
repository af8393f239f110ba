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

/** Reloads files when they change, on a thread of its own, until it is closed. */
final class FileReloader implements AutoCloseable {
  private static final int FILE_BYTES_MAX = 1 << 20;

  /*
   * Compares contents, not times. The files are small, and times are coarse. Kubernetes swaps
   * folders by a symbolic link, which shows old times. A content is used once it was read twice in
   * a row, so a file that is still being written is not used.
   */
  private static final Duration START_PATIENCE = Duration.ofSeconds(10);
  private static final long STOP_MILLIS_MAX = 1_000;

  private final PrintStream err;
  private final Semaphore wakings = new Semaphore(0); // a permit wakes the thread
  private volatile boolean closed;
  // Complete before the thread starts.
  private final List<WatchedFiles> watched = new ArrayList<>();
  private final Thread thread;

  /** Receives the contents of files. */
  interface FileConsumer {
    /**
     * Uses the contents from now on.
     *
     * @throws IllegalArgumentException if they cannot be used; the message has the reason but
     *     quotes nothing. The previous contents stay in use
     */
    void of(List<byte[]> contents);
  }

  /**
   * Creates a reloader that has not started.
   *
   * @param period how often to check
   * @param err receives a line per reload and per failure
   */
  FileReloader(Duration period, PrintStream err) {
    this.err = err;
    this.thread = new Thread(() -> lookEvery(period), "pensieve-reload");
    thread.setDaemon(true);
  }

  /**
   * Uses the files now, and after {@link #start} whenever one of them changes. A file that is not
   * regular, such as a pipe, is read only once: a second read could block forever.
   *
   * @param name the name of the files in messages
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

  // On a thread of its own: nothing can interrupt opening a pipe that has no writer.
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

  /** Warns if everybody on this machine can read or write a file with secrets. */
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
      // The file system has no such permissions, so there is nothing to warn of.
    }
  }

  /** Starts the checks. */
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
   * Checks all files soon. Uses changes without a second read: the caller says that they are
   * complete.
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
        files.contents = now; // also if unusable, so that it is reported once
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

  // Reading a pipe would block, so check first. A file can change between check and read, but that
  // is unlikely, and close() waits for this thread only for a limited time.
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

  /** Stops the checks. Waits only for a limited time if a file blocks. */
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

  /** Files that belong together. Once the thread runs, only it uses them. */
  private static final class WatchedFiles {
    final String name;
    final List<Path> paths;
    final FileConsumer fileConsumer;
    List<byte[]> contents = List.of(); // in use, or rejected since
    List<byte[]> seen = List.of();
    String failure = "";

    WatchedFiles(String name, List<Path> paths, FileConsumer fileConsumer) {
      this.name = name;
      this.paths = paths;
      this.fileConsumer = fileConsumer;
    }
  }
}
