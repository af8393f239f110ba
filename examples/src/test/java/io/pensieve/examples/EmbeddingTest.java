package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.Pensieve;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingTest {
  // With the library's classes alone: a public class must not carry an annotation whose members
  // only the library's own build knows.
  @Test
  void theProgramCompilesWithoutAWarningAndWithoutAnotherJar(@TempDir Path folder)
      throws Exception {
    String library =
        Path.of(Pensieve.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            .toString();
    String program =
        Path.of(System.getProperty("pensieve.root", ".."))
            .resolve("examples/src/main/java/io/pensieve/examples/Embedding.java")
            .toString();
    StringWriter said = new StringWriter();
    try (PrintWriter out = new PrintWriter(said)) {
      int exitCode =
          ToolProvider.findFirst("javac")
              .orElseThrow()
              .run(
                  out,
                  out,
                  "-Xlint:all",
                  "-Werror",
                  "-proc:none",
                  "-d",
                  folder.toString(),
                  "-cp",
                  library,
                  program);
      assertEquals(0, exitCode, said::toString);
    }
  }

  @Test
  void everyStartCountsOn(@TempDir Path folder) throws Exception {
    for (int start = 1; start <= 3; start++) {
      try (JavaProgram program = JavaProgram.start(Embedding.class, folder)) {
        assertEquals(List.of("start number " + start), program.remainingLines());
        assertEquals(0, program.exitCode());
      }
    }
  }
}
