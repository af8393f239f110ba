package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.file.FileLog;
import io.pensieve.server.http.value.StoredValue;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The import of the original's text log: what is taken, what is reported, and how it ends. */
final class ImportCommandTest {
  private static final String BROKEN = "expected put,KEY,VALUE or delete,KEY";

  private final Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  ImportCommandTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private int run(Map<String, String> environment, String... args) throws InterruptedException {
    out.reset();
    err.reset();
    return new Main(
            environment,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8))
        .run(args);
  }

  private int importFile(Path file, String... more) throws InterruptedException {
    List<String> args = new ArrayList<>(List.of("import", file.toString()));
    args.addAll(List.of("--data-dir", data().toString()));
    args.addAll(List.of(more));
    return run(Map.of(), args.toArray(String[]::new));
  }

  private int importText(String text, String... more) throws Exception {
    return importFile(Files.writeString(folder.resolve("op_logs.log"), text), more);
  }

  private Path data() {
    return folder.resolve("data");
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

  /** The entries in the data folder as text, the one used longest ago first. */
  private Map<String, String> entries() {
    Map<String, String> entries = new LinkedHashMap<>();
    try (Pensieve<String, StoredValue> map = open()) {
      map.coldestFirst()
          .forEach(entry -> entries.put(entry.getKey(), String.valueOf(entry.getValue().text())));
    }
    return entries;
  }

  private Pensieve<String, StoredValue> open() {
    return Pensieve.<String, StoredValue>builder()
        .maximumEntries(1 << 20)
        .log(FileLog.at(data(), Codec.utf8(), StoredValue.codec()))
        .open();
  }

  private void assertReported(String count, long number) {
    String line = String.format("  %-24s %12d%n", count, number);
    assertTrue(out().contains(line.replace(System.lineSeparator(), "\n")), out());
  }

  @Test
  void theGoldenFileIsImportedAndEachBrokenLineReported() throws Exception {
    Path golden = folder.resolve("golden.log");
    try (InputStream bytes = ImportCommandTest.class.getResourceAsStream("/import/op_logs.log")) {
      assertTrue(bytes != null);
      Files.write(golden, bytes.readAllBytes());
    }
    assertEquals(3, importFile(golden), err());
    assertEquals(
        """
        line 8: doubtful: a delete whose key has a comma: read up to the comma
        line 10: left out: expected put,KEY,VALUE or delete,KEY
        line 11: left out: a put without a value
        line 12: left out: the key is empty
        line 13: left out: the key is empty
        line 14: left out: expected put,KEY,VALUE or delete,KEY
        line 15: left out: expected put,KEY,VALUE or delete,KEY
        line 17: left out: not UTF-8
        line 18: left out: not UTF-8
        line 19: left out: not UTF-8
        line 20: left out: expected put,KEY,VALUE or delete,KEY
        line 23: doubtful: no line break at its end, so the line may be cut off
        """,
        err());
    Map<String, String> expected = new LinkedHashMap<>();
    expected.put("empty", "");
    expected.put("json", "{\"a\":1,\"b\":[2,3]}");
    expected.put(" spaces ", " kept ");
    expected.put("multi", "first line");
    expected.put("schlüssel", "w\u00e4rme \uD83D\uDE00");
    expected.put("windows", "crlf");
    expected.put("foo", "newest");
    expected.put("last", "no line bre");
    assertEquals(expected, entries());
    assertEquals(List.copyOf(expected.keySet()), List.copyOf(entries().keySet()), "order of use");
    assertReported("lines", 23);
    assertReported("puts", 11);
    assertReported("deletes", 2);
    assertReported("left out", 10);
    assertReported("values with a comma", 2);
    assertReported("entries", 8);
  }

  @Test
  void aCleanFileEndsWithZeroAndNoComplaint() throws Exception {
    assertEquals(0, importText("put,a,1\nput,b,2\ndelete,a\ndelete,none\nput,b,3\n"), err());
    assertEquals("", err());
    assertEquals(Map.of("b", "3"), entries());
    assertReported("deletes", 2);
  }

  @Test
  void anEmptyFileIsImported() throws Exception {
    assertEquals(0, importText(""), err());
    assertReported("lines", 0);
  }

  @Test
  void carriageReturnsEndLinesAndStayWithinThem() throws Exception {
    assertEquals(0, importText("put,a,1\r\nput,b,x\ry\r\ndelete,a\r\n"), err());
    assertEquals(Map.of("b", "x\ry"), entries());
  }

  @Test
  void keysAndValuesBeyondTheLimitsAreLeftOutByName() throws Exception {
    String key = "ü".repeat(4); // 8 bytes
    String lines =
        Stream.of(
                "put," + key + ",fits",
                "put," + key + "x,key too long",
                "delete," + key + "x",
                "put,a," + "v".repeat(16),
                "put,b," + "v".repeat(17),
                "put,c," + "v".repeat(500_000),
                "put," + "k".repeat(500_000) + ",v",
                "x".repeat(500_000),
                "put,d,1")
            .reduce("", (all, line) -> all + line + "\n");
    assertEquals(3, importText(lines, "--key-bytes-max", "8", "--value-bytes-max", "16"));
    String tooLongKey = ": left out: the key has more than 8 bytes (--key-bytes-max)\n";
    String tooLongValue = ": left out: the value has more than 16 bytes (--value-bytes-max)\n";
    assertEquals(
        "line 2"
            + tooLongKey
            + "line 3"
            + tooLongKey
            + "line 5"
            + tooLongValue
            + "line 6"
            + tooLongValue
            + "line 7"
            + tooLongKey
            + "line 8: left out: "
            + BROKEN
            + "\n",
        err());
    assertEquals(Map.of(key, "fits", "a", "v".repeat(16), "d", "1"), entries());
    assertEquals("fits", entries().get(key));
  }

  @Test
  void theDefaultKeyLimitIsAKibibyte() throws Exception {
    String fits = "k".repeat(1024);
    assertEquals(3, importText("put," + fits + ",1\nput," + fits + "k,2\n"));
    assertEquals(Map.of(fits, "1"), entries());
    assertTrue(err().startsWith("line 2: left out: the key has more than 1024 bytes"), err());
  }

  @Test
  void anEntryThatNeverFitsIsLeftOut() throws Exception {
    String lines = "put,a,1\nput,b," + "v".repeat(4000) + "\n";
    assertEquals(3, importText(lines, "--capacity-bytes", "2000"));
    assertTrue(err().startsWith("line 2: left out: the entry takes "), err());
    assertTrue(err().contains("the limit is 2000 (--capacity-bytes)"), err());
    assertEquals(Map.of("a", "1"), entries());
  }

  @Test
  void whatHasNoRoomIsEvictedAndCounted() throws Exception {
    StringBuilder lines = new StringBuilder();
    IntStream.range(0, 50).forEach(i -> lines.append("put,k").append(i).append(",v\n"));
    assertEquals(0, importText(lines.toString(), "--capacity", "20"), err());
    assertReported("evicted", 30);
    assertReported("entries", 20);
    assertTrue(out().contains("evicted entries had no room in --capacity 20 and "), out());
    assertFalse(entries().containsKey("k29"));
    assertTrue(entries().containsKey("k30"));
  }

  @Test
  void entriesThatAreThereAreMergedOnlyOnDemand() throws Exception {
    assertEquals(0, importText("put,a,old\nput,b,old\nput,c,old\n"), err());
    String lines = "put,a,new\ndelete,b\n";
    assertEquals(2, importText(lines));
    assertEquals(
        "pensieve-server: " + data() + " has 3 entries: choose another data-dir, or give --merge\n",
        err());
    assertEquals(Map.of("a", "old", "b", "old", "c", "old"), entries());
    assertEquals(0, importText(lines, "--merge"), err());
    assertEquals(Map.of("a", "new", "c", "old"), entries());
  }

  @Test
  void aServerServesWhatWasImportedAndKeepsItsFolderMeanwhile() throws Exception {
    assertEquals(0, importText("put,a/b c,1\nput,json,[1,2]\n"), err());
    try (ServerProcess server = ServerProcess.serve(folder, "--data-dir", data().toString())) {
      assertEquals("1", server.get("a/b c"));
      assertEquals("[1,2]", server.get("json"));
      assertEquals(2, importText("put,x,1\n", "--merge"));
      assertTrue(err().contains("in use by another process (pid "), err());
      assertEquals(1, err().lines().count(), err());
      assertEquals("", server.get("x"));
    }
  }

  @Test
  void whatCannotBeReadIsRefusedInOneLineAndMakesNoFolder() throws Exception {
    Path missing = folder.resolve("missing.log");
    assertEquals(2, importFile(missing));
    assertEquals("pensieve-server: " + missing + " is not there\n", err());
    assertEquals(2, importFile(folder));
    assertEquals("pensieve-server: " + folder + " is a folder, expected a file\n", err());
    assertEquals(2, importText("put,a,1\n", "--durability", "none"));
    assertTrue(err().contains("there is no log to import into"), err());
    assertEquals(2, importText("put,a,1\n", "--capacity", "none"));
    assertTrue(err().contains("--capacity: expected a number"), err());
    assertFalse(Files.exists(data()));
  }

  @Test
  void aDataFolderThatIsAFileIsRefusedInOneLine() throws Exception {
    Files.writeString(data(), "x");
    assertEquals(2, importText("put,a,1\n"));
    assertEquals(1, err().lines().count(), err());
    assertTrue(err().contains(data().toString()), err());
  }

  @Test
  void settingsComeFromTheSameSourcesAndOthersAreIgnored() throws Exception {
    Path file = Files.writeString(folder.resolve("op_logs.log"), "put,long key,1\nput,a,2\n");
    Path config = Files.writeString(folder.resolve("config"), "key-bytes-max=4\n");
    Map<String, String> environment =
        Map.of(
            "PENSIEVE_DATA_DIR", data().toString(), "PENSIEVE_BIND", "0.0.0.0", "PORT", "no port");
    String[] args = {"--config", config.toString(), "import", file.toString(), "--port", "99999"};
    assertEquals(3, run(environment, args), err());
    assertEquals(Map.of("a", "2"), entries());
    assertEquals(2, run(Map.of("PENSIEVE_DATADIR", "x"), args));
    assertTrue(err().contains("PENSIEVE_DATADIR"), err());
  }

  @Test
  void aDamagedDataFolderIsRefused() throws Exception {
    assertEquals(0, importText("put,a,1\nput,b,2\n"), err());
    try (Stream<Path> files = Files.list(data())) {
      Path segment =
          files.filter(file -> file.toString().endsWith(".log")).findFirst().orElseThrow();
      byte[] bytes = Files.readAllBytes(segment);
      bytes[4096 + 33] ^= 1;
      Files.write(segment, bytes);
    }
    assertEquals(2, importText("put,a,1\n", "--merge"));
    assertEquals(1, err().lines().count(), err());
    assertTrue(err().contains("damaged at offset 4096"), err());
  }

  @Test
  void aLongImportReportsItsProgress() throws Exception {
    Path file = Files.writeString(folder.resolve("op_logs.log"), "put,a,1\n".repeat(20_000));
    long[] seconds = {0};
    var command = new picocli.CommandLine(ImportCommand.spec());
    PrintStream printed = new PrintStream(out, true, StandardCharsets.UTF_8);
    Map<Setting, SettingValue> given =
        SettingValue.resolve(Map.of(Setting.DATA_DIR, data().toString()), Map.of());
    int exit =
        new ImportCommand(printed, printed, () -> seconds[0]++ * 600_000_000L)
            .run(given, command.parseArgs(file.toString()));
    assertEquals(0, exit, out());
    assertTrue(out().contains("importing: 131072 bytes of 160000 (81 %), 16384 puts\n"), out());
  }

  /** More lines than the heap of 32 MiB has room for, and one line that is longer than it. */
  @Test
  void manyLinesAreImportedInBoundedMemory() throws Exception {
    Path file = folder.resolve("op_logs.log");
    int lines = 150_000;
    String value = "v".repeat(300);
    byte[] zeros = new byte[1 << 20];
    try (OutputStream bytes = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
      for (int i = 0; i < lines; i++) {
        bytes.write(
            ("put,key-" + i % 5000 + "," + value + i + "\n").getBytes(StandardCharsets.UTF_8));
      }
      for (int i = 0; i < 35; i++) {
        bytes.write(zeros); // as a power cut may leave
      }
      bytes.write("\nput,behind,1\n".getBytes(StandardCharsets.UTF_8));
    }
    try (ServerProcess program =
        ServerProcess.launch(
            folder,
            "-Xmx32m",
            Map.of(),
            "import",
            file.toString(),
            "--data-dir",
            data().toString())) {
      assertEquals(3, program.awaitExit(), program.err());
      assertEquals("line " + (lines + 1) + ": left out: " + BROKEN + "\n", program.err());
    }
    Map<String, String> entries = entries();
    assertEquals(1000, entries.size());
    assertEquals("1", entries.get("behind"));
    int last = lines - 1;
    assertEquals(value + last, entries.get("key-" + last % 5000));
  }

  @Test
  void helpSaysHowItEnds() throws Exception {
    assertEquals(0, run(Map.of(), "import", "--help"), err());
    assertTrue(out().contains("FILE") && out().contains("Exit code: 0"), out());
    assertTrue(out().contains("--data-dir") && out().contains("--merge"), out());
    assertFalse(out().contains("--port"), out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"import", "import a b", "import --fast x"})
  void wrongArgumentsEndInOneLine(String line) throws Exception {
    assertEquals(2, run(Map.of(), line.split(" ", -1)));
    assertEquals(1, err().lines().count(), err());
    assertEquals("", out());
  }
}
