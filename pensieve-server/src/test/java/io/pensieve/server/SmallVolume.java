package io.pensieve.server;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A file system of its own that can be filled up. Only where this test may mount one. */
@SuppressWarnings("try") // closing may be interrupted, as the test itself
public final class SmallVolume implements AutoCloseable {
  private static final int PIECE_BYTES = 1 << 16;

  private final Path folder;

  private SmallVolume(Path folder) {
    this.folder = folder;
  }

  /** One of so many MiB in this folder; empty if that cannot be. */
  public static Optional<SmallVolume> mount(Path folder, int mebibytes) throws Exception {
    boolean isMounted =
        System.getProperty("os.name", "").equals("Linux")
            && succeeds(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "size=" + mebibytes + "m",
                "tmpfs",
                folder.toString());
    return isMounted ? Optional.of(new SmallVolume(folder)) : Optional.empty();
  }

  private static boolean succeeds(String... command) throws Exception {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getInputStream().transferTo(OutputStream.nullOutputStream());
      return process.waitFor(2, TimeUnit.MINUTES) && process.exitValue() == 0;
    } catch (IOException noSuchProgram) {
      return false;
    }
  }

  private Path filling() {
    return folder.resolve("filling");
  }

  /** Leaves not a byte. */
  public void fill() throws IOException {
    try (OutputStream out = Files.newOutputStream(filling())) {
      while (true) {
        out.write(new byte[PIECE_BYTES]);
      }
    } catch (IOException full) {
      if (!Files.exists(filling())) {
        throw full;
      }
    }
  }

  /** Leaves so many MiB. */
  public void fillUpTo(int mebibytesLeft) throws IOException {
    long pieces =
        (Files.getFileStore(folder).getUsableSpace() - ((long) mebibytesLeft << 20)) / PIECE_BYTES;
    if (mebibytesLeft == 0) {
      fill();
      return;
    }
    try (OutputStream out = Files.newOutputStream(filling())) {
      for (long i = 0; i < pieces; i++) {
        out.write(new byte[PIECE_BYTES]);
      }
    }
  }

  /** Gives back what it has filled. */
  public void free() throws IOException {
    Files.deleteIfExists(filling());
  }

  /** As {@link #close}, which may be interrupted. */
  public void unmount() throws IOException {
    try {
      close();
    } catch (IOException stillMounted) {
      throw stillMounted;
    } catch (Exception interrupted) {
      throw new IOException(interrupted);
    }
  }

  @Override
  public void close() throws Exception {
    if (!succeeds("umount", folder.toString()) && !succeeds("umount", "-l", folder.toString())) {
      throw new IOException("still mounted: " + folder);
    }
  }
}
