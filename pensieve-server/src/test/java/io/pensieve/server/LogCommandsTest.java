package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.file.FileLog;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands on a log: what they print, how they end, and that they change nothing. */
final class LogCommandsTest {
  private static final int FIRST_FRAME = 4096;

  private final Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  LogCommandsTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private int run(String... args) throws InterruptedException {
    out.reset();
    err.reset();
    return new Main(
            Map.of(),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8))
        .run(args);
  }

  private String out() {
    return text(out);
  }

  private String err() {
    return text(err);
  }

  private static String text(ByteArrayOutputStream printed) {
    return printed.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }

  private Path log() {
    return folder.resolve("log");
  }

  private Path segment() throws IOException {
    try (var files = Files.list(log())) {
      return files.filter(file -> file.toString().endsWith(".log")).findFirst().orElseThrow();
    }
  }

  /** Where the log begins: a new one at the time of day, and its segment has that for a name. */
  private long start() throws IOException {
    String name = String.valueOf(segment().getFileName());
    return Long.parseLong(name.substring(0, name.indexOf('.')), 16);
  }

  private static Pensieve<String, byte[]> open(Path folder) {
    return Pensieve.<String, byte[]>builder()
        .log(FileLog.at(folder, Codec.utf8(), Codec.bytes()))
        .open();
  }

  private void writeLog() {
    try (var map = open(log())) {
      map.put("foo", "bar".getBytes(StandardCharsets.UTF_8));
      map.put("line\nbreak \"\u2028\uD83D\uDE00", new byte[] {(byte) 0xFE, 0});
      map.remove("foo");
      map.put("empty", new byte[0]);
    }
  }

  private void flip(Path file, int offset) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[offset] ^= 1;
    Files.write(file, bytes);
  }

  private Map<Path, byte[]> files() throws IOException {
    Map<Path, byte[]> bytes = new TreeMap<>();
    try (var files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes.put(file, Files.readAllBytes(file));
      }
    }
    return bytes;
  }

  private static void assertSame(Map<Path, byte[]> before, Map<Path, byte[]> after) {
    assertEquals(before.keySet(), after.keySet());
    before.forEach((file, bytes) -> assertArrayEquals(bytes, after.get(file), file.toString()));
  }

  @Test
  void checkTellsWhatASoundLogHoldsAndChangesNothing() throws Exception {
    writeLog();
    Map<Path, byte[]> before = files();
    assertEquals(0, run("log", "check", log().toString()), err());
    assertTrue(out().contains("segment"), out());
    assertTrue(out().contains("no base: 0 saved entries, 3 puts, 1 removals, 0 touches\n"), out());
    assertTrue(out().contains("entries: 2\nclosed cleanly\nsound\n"), out());
    assertEquals("", err());
    assertSame(before, files());
  }

  @Test
  void checkNamesDamageByFileAndOffsetAndTheCommandThatSalvages() throws Exception {
    writeLog();
    flip(segment(), FIRST_FRAME + 33);
    Map<Path, byte[]> before = files();
    assertEquals(1, run("log", "check", log().toString()));
    assertEquals("", out());
    assertTrue(err().startsWith("pensieve-server: " + segment() + ": damaged at offset 4096: "));
    assertTrue(err().contains("expected a frame"), err());
    assertTrue(err().contains("log salvage " + log() + " NEW_FOLDER"), err());
    assertEquals(1, err().lines().count());
    assertSame(before, files());
  }

  @Test
  void checkTellsWhatWillBeCutOffAtTheNextStart() throws Exception {
    Path ring = log().resolve("ring");
    byte[] begun;
    try (var map = open(log())) {
      begun = Files.readAllBytes(ring);
      map.put("foo", "bar".getBytes(StandardCharsets.UTF_8));
      map.put("bar", new byte[] {(byte) 0xFE, 0});
    }
    byte[] bytes = Files.readAllBytes(segment());
    Files.write(segment(), Arrays.copyOf(bytes, bytes.length - 32 - 10));
    Files.write(ring, begun); // as it became, it knows how far the log went
    assertEquals(0, run("log", "check", log().toString()), err());
    assertTrue(out().contains("not closed"), out());
    assertTrue(out().contains("an unfinished end of "), out());
    assertTrue(out().contains("entries: 1\n"), out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"check", "dump", "salvage"})
  void aLogInUseOrNoneAtAllIsRefusedInOneLine(String command) throws Exception {
    writeLog();
    Path target = folder.resolveSibling(folder.getFileName() + "-new");
    String[] args = {"log", command, log().toString(), target.toString()};
    int count = command.equals("salvage") ? 4 : 3;
    try (var map = open(log())) {
      assertEquals(2, run(Arrays.copyOf(args, count)));
      assertTrue(err().contains("in use"), err());
      assertEquals(1, map.size() - 1);
    }
    args[2] = folder.toString();
    assertEquals(2, run(Arrays.copyOf(args, count)));
    assertEquals("pensieve-server: " + folder + " holds no log\n", err());
    args[2] = folder.resolve("missing").toString();
    assertEquals(2, run(Arrays.copyOf(args, count)));
    assertEquals("pensieve-server: " + args[2] + " is no folder\n", err());
    assertFalse(Files.exists(folder.resolve("LOCK")));
    assertFalse(Files.exists(target));
  }

  @Test
  void aLogInUseByAnotherProcessIsRefused() throws Exception {
    try (ServerProcess server = ServerProcess.serve(folder, "--data-dir", log().toString())) {
      server.put("a", "1");
      assertEquals(2, run("log", "check", log().toString()));
      assertTrue(err().contains("in use by another process (pid "), err());
      assertEquals("1", server.get("a"));
      server.kill().awaitExit();
    }
    assertEquals(0, run("log", "check", log().toString()), err());
    assertTrue(out().contains("entries: 1\nnot closed\nsound\n"), out());
  }

  @Test
  void dumpPrintsAChangeALine() throws Exception {
    writeLog();
    assertEquals(0, run("log", "dump", log().toString()), err());
    String sequences =
        """
        {"kind":"put","sequence":%d,"key":"foo","value":"bar"}
        {"kind":"put","sequence":%d,"key":"line\\nbreak \\"\\u2028\uD83D\uDE00","valueBase64":"/gA="}
        {"kind":"remove","sequence":%d,"key":"foo"}
        {"kind":"put","sequence":%d,"key":"empty","value":""}
        """;
    long start = start();
    assertEquals(sequences.formatted(start + 40, start + 96, start + 136, start + 176), out());
    assertEquals("", err());
  }

  @Test
  void dumpTellsATypedValueAsWhatItIs() throws Exception {
    try (var map = open(log())) {
      map.put("typed", new byte[] {(byte) 0xFF, 3, 'a', '/', 'b', 'h', 'i'});
      map.put("untold", new byte[] {(byte) 0xFF, 0, (byte) 0xFF});
      map.put("cut", new byte[] {(byte) 0xFF, 3, 'a'});
    }
    assertEquals(0, run("log", "dump", log().toString()), err());
    String changes =
        """
        {"kind":"put","sequence":%d,"key":"typed","value":"hi","contentType":"a/b"}
        {"kind":"put","sequence":%d,"key":"untold","valueBase64":"/w==","contentType":"application/octet-stream"}
        {"kind":"put","sequence":%d,"key":"cut","valueBase64":"/wNh"}
        """;
    long start = start();
    assertEquals(changes.formatted(start + 48, start + 96, start + 136), out());
  }

  @Test
  void dumpPrintsTheGoldenFilesAsEver() throws Exception {
    for (String name : List.of("closed", "killed", "expiring", "compacted")) {
      Path golden = Files.createDirectory(folder.resolve(name));
      String log = name.equals("compacted") ? "closed" : name;
      copyGolden(log + ".log", golden.resolve("0000000000000000.log"));
      if (name.equals("compacted")) {
        copyGolden("compacted.base", golden.resolve("00000000000000a0.base"));
      }
      if (name.equals("killed")) {
        copyGolden("killed.ring", golden.resolve("ring"));
      }
      assertEquals(0, run("log", "dump", golden.toString()), err());
      try (InputStream expected = resource("/dump/" + name + ".jsonl")) {
        assertEquals(
            new String(expected.readAllBytes(), StandardCharsets.UTF_8).replace("\r\n", "\n"),
            out(),
            name);
      }
    }
  }

  private static void copyGolden(String name, Path to) throws IOException {
    Files.copy(
        Path.of("..", "pensieve-core", "src", "test", "resources", "golden", "v1", name), to);
  }

  private static InputStream resource(String name) {
    InputStream stream = LogCommandsTest.class.getResourceAsStream(name);
    assertTrue(stream != null, name);
    return stream;
  }

  @Test
  void dumpPrintsTheEntriesOfACompactedLogFirst() throws Exception {
    FileLog<String, byte[]> log = FileLog.at(log(), Codec.utf8(), Codec.bytes());
    try (var map = Pensieve.<String, byte[]>builder().log(log).open()) {
      map.put("a", new byte[] {'1'});
      map.put("b", new byte[] {'2'});
      map.get("a");
      log.compact();
      map.put("b", new byte[] {'3'});
    }
    assertEquals(0, run("log", "dump", log().toString()), err());
    List<String> kinds =
        out()
            .lines()
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .map(line -> line.get("kind").getAsString() + " " + line.get("key").getAsString())
            .toList();
    assertEquals(List.of("entry b", "entry a", "put b"), kinds);
    assertEquals(0, run("log", "check", log().toString()), err());
    assertTrue(out().contains("2 saved entries, 1 puts, 0 removals, 0 touches\n"), out());
  }

  @Test
  void dumpOfADamagedLogPrintsAllUpToTheDamage() throws Exception {
    writeLog();
    flip(segment(), FIRST_FRAME + 96 + 33);
    assertEquals(1, run("log", "dump", log().toString()));
    assertEquals(2, out().lines().count(), out());
    assertTrue(err().contains("damaged at offset " + (FIRST_FRAME + 96)), err());
  }

  @Test
  void dumpEndsQuietlyWhenNobodyReadsItsOutput() throws Exception {
    try (var map = open(log())) {
      for (int i = 0; i < 300; i++) {
        map.put("k" + i, new byte[1000]);
      }
    }
    PrintStream broken =
        new PrintStream(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
              }
            },
            true,
            StandardCharsets.UTF_8);
    Main main = new Main(Map.of(), broken, new PrintStream(err, true, StandardCharsets.UTF_8));
    assertEquals(0, main.run("log", "dump", log().toString()));
    assertEquals("", err());
    open(log()).close();
  }

  @Test
  void salvageOfASoundLogCopiesAll() throws Exception {
    writeLog();
    Map<Path, byte[]> before = files();
    Path into = folder.resolve("new/log");
    assertEquals(0, run("log", "salvage", log().toString(), into.toString()), err());
    assertEquals("salvaged 4 changes and saved entries to " + into + "; nothing was lost\n", out());
    try (var map = open(into)) {
      assertEquals(2, map.size());
    }
    before.forEach((file, bytes) -> assertTrue(Files.exists(file)));
    assertArrayEquals(before.get(segment()), Files.readAllBytes(segment()));
  }

  @Test
  void salvageOfADamagedLogTellsWhatWasLost() throws Exception {
    writeLog();
    flip(segment(), FIRST_FRAME + 96 + 33); // the removal
    Path into = folder.resolve("new");
    assertEquals(3, run("log", "salvage", log().toString(), into.toString()), err());
    assertTrue(
        out()
            .startsWith(
                "lost: "
                    + segment()
                    + " at offset 4192, 40 bytes: changes at positions "
                    + (start() + 96)
                    + " to "
                    + (start() + 136)
                    + ";"),
        out());
    assertTrue(out().endsWith("to " + into + "; something was lost\n"), out());
    try (var map = open(into)) {
      assertEquals(3, map.size(), "the removed key is back");
      assertTrue(map.containsKey("foo"));
    }
    assertEquals(0, run("log", "check", into.toString()), err());
    assertEquals(1, run("log", "check", log().toString()));
    assertEquals(2, run("log", "salvage", log().toString(), log().resolve("in").toString()));
    assertEquals(2, run("log", "salvage", log().toString(), into.toString()));
    assertTrue(err().contains("holds "), err());
  }

  @Test
  void helpSaysWhatACommandDoesAndHowItEnds() throws Exception {
    for (String command : List.of("check", "dump", "salvage")) {
      assertEquals(0, run("log", command, "--help"), err());
      assertTrue(out().contains("FOLDER"), out());
      assertTrue(out().contains("Exit code: 0"), out());
    }
    assertEquals(0, run("log", "--help"));
    assertTrue(out().contains("check") && out().contains("dump") && out().contains("salvage"));
    assertEquals(0, run("--help"));
    assertTrue(out().contains("  log "), out());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "log",
        "log chekc x",
        "log check",
        "log check a b",
        "log dump",
        "log salvage a",
        "log salvage a b c",
        "log check --fast x"
      })
  void wrongArgumentsEndInOneLine(String line) throws Exception {
    assertEquals(2, run(line.split(" ", -1)));
    assertEquals(1, err().lines().count(), err());
    assertTrue(err().startsWith("pensieve-server: "), err());
    assertEquals("", out());
  }

  @Test
  void aServerThatFindsDamageNamesTheCommandThatSalvages() throws Exception {
    writeLog();
    flip(segment(), FIRST_FRAME + 33);
    try (ServerProcess server =
        ServerProcess.launch(folder, Map.of(), "--port", "0", "--data-dir", log().toString())) {
      ProgramTest.assertEndsInOneLine(server, "log salvage " + log() + " NEW_FOLDER");
    }
  }

  @Test
  void everyLineOfADumpIsJson() throws Exception {
    writeLog();
    run("log", "dump", log().toString());
    for (String line : out().lines().toList()) {
      JsonObject change = JsonParser.parseString(line).getAsJsonObject();
      assertTrue(change.get("sequence").getAsLong() > 0, line);
    }
  }
}
