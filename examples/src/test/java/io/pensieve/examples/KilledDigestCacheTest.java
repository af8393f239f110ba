package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KilledDigestCacheTest {
  private static final int FILES = 300;
  private static final int FILES_BEFORE_DEATH = 120;

  @Test
  void killedInTheMiddleItContinuesWarmWithTheRightDigests(@TempDir Path folder) throws Exception {
    Tree tree = Tree.grow(folder.resolve("tree"), FILES, 7);
    Path sums = folder.resolve("sums");
    String[] arguments = {
      "--progress", "" + FILES_BEFORE_DEATH, "--sums", sums.toString(), tree.root().toString()
    };

    try (JavaProgram killed = JavaProgram.start(StopsHalfway.class, folder, arguments)) {
      killed.awaitLine(FILES_BEFORE_DEATH + " files: 0 warm, " + FILES_BEFORE_DEATH + " hashed");
      killed.kill();
    }
    try (JavaProgram again = JavaProgram.start(DigestCache.class, folder, arguments)) {
      String said = String.join("\n", again.remainingLines());
      int left = FILES - FILES_BEFORE_DEATH;
      assertTrue(said.contains(FILES_BEFORE_DEATH + " warm, " + left + " hashed"), said);
      assertEquals(0, again.exitCode());
    }
    assertEquals(tree.sums(), Files.readAllLines(sums).stream().sorted().toList());
  }

  /** The program as it is, but its first line of progress is followed by silence. */
  static final class StopsHalfway {
    public static void main(String[] args) {
      OutputStream halting =
          new OutputStream() {
            private final StringBuilder line = new StringBuilder();

            @Override
            public void write(int b) {
              line.append((char) b);
              System.out.write(b);
              if (b == '\n') {
                System.out.flush();
                if (line.indexOf(" files: ") >= 0) {
                  waitForDeath();
                }
                line.setLength(0);
              }
            }
          };
      PrintStream out = new PrintStream(halting, true, StandardCharsets.UTF_8);
      System.exit(DigestCache.run(List.of(args), out, out));
    }

    private static void waitForDeath() {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException nobodyDoes) {
        throw new AssertionError(nobodyDoes);
      }
    }
  }
}
