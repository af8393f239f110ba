package io.pensieve.examples;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.file.FileLog;
import java.nio.file.Path;

/** Counts its own starts. However it ends, the count goes on. */
public final class Embedding {
  private Embedding() {}

  public static void main(String[] args) {
    Path folder = Path.of(args.length > 0 ? args[0] : "embedding-data");
    try (var counts =
        Pensieve.<String, Long>builder()
            .maximumEntries(10_000)
            .log(FileLog.at(folder, Codec.utf8(), Codec.int64()).durability(Durability.POWER_CUT))
            .open()) {
      Long starts = counts.merge("starts", 1L, Long::sum); // returns when the disk has it
      System.out.println("start number " + starts);
    }
  }
}
