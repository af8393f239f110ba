package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineLogTest {
  private Path file = Path.of("");

  @BeforeEach
  void chooseFile(@TempDir Path folder) {
    file = folder.resolve("memories.txt");
  }

  @Test
  void entriesComeBack() throws IOException {
    Map<String, String> awkward =
        Map.of(
            "a b",
            "",
            "100%",
            "%25",
            "",
            "line\nbreak\r",
            "\u0000",
            "\ud83e\udde0 \u00e9",
            "put",
            "closed");
    try (Pensieve<String, String> map = open(10)) {
      map.putAll(awkward);
      map.put("gone", "soon");
      map.remove("gone");
    }
    try (Pensieve<String, String> map = open(10)) {
      assertEquals(awkward, Map.copyOf(map));
      assertTrue(map.recovery().closedCleanly());
    }
  }

  @Test
  void theOldestByUseIsStillTheNextToGo() throws IOException {
    try (Pensieve<String, String> map = open(3)) {
      map.put("a", "1");
      map.put("b", "2");
      map.put("c", "3");
      map.get("a");
    }
    try (Pensieve<String, String> map = open(3)) {
      map.put("d", "4");
      assertEquals(Map.of("a", "1", "c", "3", "d", "4"), Map.copyOf(map));
      map.put("e", "5");
      assertEquals(Map.of("a", "1", "d", "4", "e", "5"), Map.copyOf(map));
    }
  }

  @Test
  void peopleCanReadIt() throws IOException {
    try (Pensieve<String, String> map = open(1)) {
      map.put("colour", "dark blue");
      map.put("size", "42");
    }
    String text = Files.readString(file);
    assertTrue(text.startsWith("1 put colour dark%20blue\n2 put size 42\n3 remove colour\n"), text);
    assertTrue(text.endsWith("\nclosed\n"), text);
  }

  @Test
  void aTornLastLineIsCutAndKeptAside() throws IOException {
    Files.writeString(file, "1 put a 1\n2 put b 2\n3 put c");
    try (Pensieve<String, String> map = open(10)) {
      assertEquals(Map.of("a", "1", "b", "2"), Map.copyOf(map));
      RecoveryReport.TornTail torn = map.recovery().tornTail().orElseThrow();
      assertEquals(20, torn.offset());
      assertEquals("3 put c", Files.readString(torn.copy()));
      assertFalse(map.recovery().closedCleanly());
      map.put("d", "4");
    }
    try (Pensieve<String, String> map = open(10)) {
      assertEquals(Map.of("a", "1", "b", "2", "d", "4"), Map.copyOf(map));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2 put b",
        "2 pat b 2",
        "x put b 2",
        "2 put b %4",
        "2 put b 2 3 put c 3",
        "1 remove a",
        ""
      })
  void aDamagedLineIsRefusedAndLeftAsItIs(String line) throws IOException {
    String text = "1 put a 1\n" + line + "\n3 put c 3\n";
    Files.writeString(file, text);
    LogException.Corrupt refusal = assertThrows(LogException.Corrupt.class, () -> open(10));
    assertTrue(String.valueOf(refusal.getMessage()).contains("offset 10"), refusal.getMessage());
    assertEquals(text, Files.readString(file));
  }

  @Test
  void anEndWithoutCloseKeepsEveryLine() throws IOException {
    try (Pensieve<String, String> map = open(10)) {
      map.put("a", "1");
      // What is in the file now is what a killed process leaves.
      Files.copy(file, file.resolveSibling("copy"));
    }
    Files.move(file.resolveSibling("copy"), file, StandardCopyOption.REPLACE_EXISTING);
    try (Pensieve<String, String> map = open(10)) {
      assertEquals("1", map.get("a"));
      assertFalse(map.recovery().closedCleanly());
    }
  }

  private Pensieve<String, String> open(int entriesMax) throws IOException {
    return Pensieve.<String, String>builder()
        .maximumEntries(entriesMax)
        .log(new LineLog<>(file, Codec.utf8(), Codec.utf8()))
        .open();
  }
}
