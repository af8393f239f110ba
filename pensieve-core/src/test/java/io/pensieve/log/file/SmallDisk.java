package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A file system of some MiB, until closed. Only root on Linux can make one. */
@SuppressWarnings("try") // closing may be interrupted, as the test itself
final class SmallDisk implements AutoCloseable {
  private final Path folder;

  private SmallDisk(Path folder) {
    this.folder = folder;
  }

  /** Mounts it on an empty folder, or skips the test and says why. */
  static SmallDisk mount(Path folder, int mebibytes) throws IOException, InterruptedException {
    assumeTrue(
        System.getProperty("os.name", "").equals("Linux")
            && "root".equals(System.getProperty("user.name")),
        "only root on Linux can mount a small file system");
    Files.createDirectories(folder);
    int exit = run("mount", "-t", "tmpfs", "-o", "size=" + mebibytes + "m", "tmpfs", folder + "");
    assumeTrue(exit == 0, "mount is refused here");
    return new SmallDisk(folder);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    if (run("umount", folder + "") != 0) {
      assertEquals(0, run("umount", "-l", folder + ""), "cannot unmount " + folder);
    }
  }

  private static int run(String... command) throws IOException, InterruptedException {
    Process process;
    try {
      process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
    } catch (IOException noSuchCommand) {
      return -1;
    }
    process.getInputStream().readAllBytes();
    return process.waitFor(2, TimeUnit.MINUTES) ? process.exitValue() : -1;
  }
}
