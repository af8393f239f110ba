package io.pensieve.server.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A node's machine as its process sees it: its clock may be wrong, and its disk slow. For that the
 * process loads a library of ours before the C library, so nothing else on this machine notices.
 */
final class Machine {
  private static final String SOURCE = "machine.c";
  private static final int CLOCK = 0;
  private static final int FORCE = Long.BYTES;

  private final Path library;
  private final Path state;
  private final MappedByteBuffer numbers;

  private Machine(Path library, Path state, MappedByteBuffer numbers) {
    this.library = library;
    this.state = state;
    this.numbers = numbers;
  }

  /** Makes the library in this folder; empty where there is no Linux or no compiler of C. */
  static Optional<Path> library(Path folder) throws Exception {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return Optional.empty();
    }
    Path source = folder.resolve(SOURCE);
    Path made = folder.resolve("machine.so");
    try (InputStream in = Machine.class.getResourceAsStream(SOURCE)) {
      Files.copy(in, source);
    }
    try {
      Process compiler =
          new ProcessBuilder(
                  "cc", "-shared", "-fPIC", "-O1", "-o", made.toString(), source.toString(), "-ldl")
              .redirectErrorStream(true)
              .start();
      compiler.getInputStream().transferTo(OutputStream.nullOutputStream());
      boolean isMade = compiler.waitFor(2, TimeUnit.MINUTES) && compiler.exitValue() == 0;
      return isMade ? Optional.of(made) : Optional.empty();
    } catch (IOException noCompiler) {
      return Optional.empty();
    }
  }

  /** One whose clock is right and whose disk is as it is. Its state is in this file. */
  static Machine of(Path library, Path state) throws IOException {
    Files.write(state, new byte[2 * Long.BYTES]);
    try (FileChannel file =
        FileChannel.open(state, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MappedByteBuffer numbers = file.map(MapMode.READ_WRITE, 0, 2 * Long.BYTES);
      numbers.order(ByteOrder.nativeOrder());
      return new Machine(library, state, numbers);
    }
  }

  /** What launches a program on it. */
  List<String> launcher() {
    return List.of("env", "LD_PRELOAD=" + library, "TEST_MACHINE=" + state);
  }

  /** Sets the time of day, at once. */
  void setClockAhead(Duration by) {
    put(CLOCK, by);
  }

  /** From now on a force of a file takes longer. */
  void delayForces(Duration by) {
    put(FORCE, by);
  }

  private void put(int at, Duration value) {
    ByteBuffer unused = numbers.putLong(at, value.toMillis());
  }
}
