package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingTest {

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
