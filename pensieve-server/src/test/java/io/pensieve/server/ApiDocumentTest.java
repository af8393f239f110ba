package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** API.md and the code tell the same settings, with the same names and defaults. */
final class ApiDocumentTest {

  @Test
  void settingsAreThoseOfTheTable() throws Exception {
    Set<String> known = new TreeSet<>();
    for (Setting setting : Setting.values()) {
      known.add(row(setting));
    }
    Set<String> told = new TreeSet<>();
    for (String line : Files.readAllLines(Path.of("API.md"))) {
      if (line.matches("\\| (`--[a-z-]+`|none) \\| `PENSIEVE_.*")) {
        told.add(line.substring(0, line.lastIndexOf('|', line.length() - 2) + 1));
      }
    }
    assertEquals(known, told);
  }

  private static String row(Setting setting) {
    String names =
        setting.environmentNames().stream()
            .map(name -> "`" + name + "`")
            .collect(Collectors.joining(", "));
    String byDefault =
        setting.isShareOfHeap()
            ? "[by the heap](#heap)"
            : setting.defaultText().isEmpty() ? "none" : "`" + setting.defaultText() + "`";
    String flag = setting.isSecret() ? "none" : "`" + setting.flag() + "`";
    return "| " + flag + " | " + names + " | " + byDefault + " |";
  }
}
