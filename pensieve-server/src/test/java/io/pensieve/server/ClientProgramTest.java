package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.command.ClientProgram;
import io.pensieve.testing.Ports;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that talk to a server, as a person or a script uses them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
final class ClientProgramTest {
  private static final String READ = "the-token-that-may-read";
  private static final String ADMIN = "the-token-that-may-all";
  private static final byte[] NO_INPUT = {};

  private PensieveServer server;
  private final Map<String, String> environment = new HashMap<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private boolean terminal;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    Path tokens = folder.resolve("tokens");
    Files.writeString(tokens, "read " + READ + "\nadmin " + ADMIN + "\n");
    Map<Setting, String> flags = new EnumMap<>(Setting.class);
    flags.put(Setting.PORT, "0");
    flags.put(Setting.DATA_DIR, folder.resolve("data").toString());
    flags.put(Setting.DURABILITY, "none");
    flags.put(Setting.CAPACITY, "10000");
    flags.put(Setting.TOKENS_FILE, tokens.toString());
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, UTF_8);
    server =
        PensieveServer.start(
            Configuration.of(SettingValue.resolve(flags, Map.of())),
            nowhere,
            nowhere,
            nowhere,
            failure -> {});
  }

  @AfterAll
  void close() {
    server.close();
  }

  @BeforeEach
  void clear() {
    environment.clear();
    environment.put("PENSIEVE_URL", server.url().toString());
    environment.put("PENSIEVE_TOKEN", ADMIN);
    terminal = false;
    assertEquals(0, run("delete", "--all"), err.toString(UTF_8));
  }

  private int run(String... arguments) {
    return runWith(NO_INPUT, arguments);
  }

  private int runWith(byte[] input, String... arguments) {
    out.reset();
    err.reset();
    PrintStream printed = new PrintStream(out, false, UTF_8);
    PrintStream complaints = new PrintStream(err, true, UTF_8);
    return new ClientProgram(
            environment, new ByteArrayInputStream(input), printed, complaints, terminal)
        .run(arguments);
  }

  private void assertPrints(String expected, String... arguments) {
    assertEquals(0, run(arguments), err.toString(UTF_8));
    assertEquals(expected, out.toString(UTF_8));
  }

  private void assertFails(int code, String complaint, String... arguments) {
    assertEquals(code, run(arguments), err.toString(UTF_8));
    String line = err.toString(UTF_8);
    assertTrue(line.contains(complaint), line);
    assertTrue(line.startsWith("pensieve-server: "), line);
    assertEquals(1, line.lines().count(), line);
    assertFalse(line.contains(ADMIN) || line.contains(READ), line);
  }

  @Test
  void whatIsPutIsGotByteForByte() {
    assertPrints("", "put", "a", "1");
    assertPrints("1", "get", "a");
    byte[] bytes = {0, 1, (byte) 0xFF, 27, '\n'};
    assertEquals(0, runWith(bytes, "put", "b", "--content-type", "x/y"));
    assertEquals(0, run("get", "b"));
    assertArrayEquals(bytes, out.toByteArray());
    assertPrints(
        "{\"key\":\"b\",\"value_base64\":\"AAH/Gwo=\",\"content_type\":\"x/y\",\"version\":"
            + version("b")
            + "}\n",
        "get",
        "b",
        "--json");
  }

  private String version(String key) {
    assertEquals(0, run("get", key, "--json"));
    return out.toString(UTF_8).replaceAll("(?s).*\"version\":(\\d+).*", "$1");
  }

  @Test
  void aValueComesFromAFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("value");
    Files.write(file, new byte[100_000]);
    assertPrints("", "put", "a", "--file", file.toString());
    assertEquals(0, run("get", "a"));
    assertEquals(100_000, out.size());
    assertFails(2, "cannot read", "put", "a", "--file", file + "-none");
    assertFails(2, "at once", "put", "a", "1", "--file", file.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a/b?c=d#e", "..", ".", "%2F", "ä€😀", " ", "a\nb", "\u001b[2J", "\u202e", "+"})
  void keysAreAnyTexts(String key) {
    assertPrints("", "put", key, "1");
    assertPrints("1", "get", key);
    assertPrints("", "touch", key, "1h");
    assertPrints("", "delete", key);
    assertEquals(1, run("get", key));
  }

  @Test
  void aTerminalGetsNoControlCharacters() {
    terminal = true;
    assertPrints("", "put", "a", "red\u001b[31m\ttab\nline\u009b1m\u202e");
    assertPrints("red\\u001b[31m\ttab\nline\\u009b1m\\u202e\n", "get", "a");
    assertEquals(0, runWith(new byte[] {'x', (byte) 0xFF, 7}, "put", "b"));
    assertPrints("x\\xff\\x07\n", "get", "b");
    assertPrints("", "put", "\u001b]0;title\u0007", "1");
    assertPrints("\\u001b]0;title\\u0007\n", "keys", "\u001b");
    assertPrints("\"\\u001b]0;title\\u0007\"\n", "keys", "\u001b", "--json");
    assertPrints("", "put", "\u009b2J", "\u009b2J");
    assertPrints("\"\\u009b2J\"\n", "keys", "\u009b", "--json");
  }

  @Test
  void whatIsMissingOrHasAnotherVersionEndsWithOne() {
    assertFails(1, "no_such_key", "get", "a");
    assertFails(1, "no_such_key", "touch", "a", "1h");
    assertPrints("", "put", "a", "1", "--if-absent");
    assertFails(1, "precondition_failed", "put", "a", "2", "--if-absent");
    String version = version("a");
    assertFails(1, "precondition_failed", "put", "a", "2", "--if-version", "1");
    assertPrints("", "put", "a", "2", "--if-version", version);
    assertFails(1, "precondition_failed", "delete", "a", "--if-version", version);
    assertPrints("2", "get", "a");
  }

  @Test
  void numbersAreCounted() {
    assertPrints("1\n", "incr", "n");
    assertPrints("-4\n", "incr", "n", "--by", "-5");
    assertPrints("-3\n", "incr", "n", "--ttl", "keep", "--initial-ttl", "1m");
    assertFails(2, "--by", "incr", "n", "--by", "x");
    assertPrints("", "put", "n", "x");
    assertFails(3, "not_an_integer", "incr", "n");
  }

  @Test
  void keysAreListedToTheEndOrTheLimit() {
    for (int i = 0; i < 12; i++) {
      run("put", "k/" + i, "1");
    }
    run("put", "z", "1");
    assertEquals(0, run("keys", "k/"));
    assertEquals(12, out.toString(UTF_8).lines().count());
    assertPrints("k/0\nk/1\nk/10\n", "keys", "k/", "--limit", "3");
    assertPrints("z\nk/\n", "keys", "--delimiter", "/");
    assertFails(2, "--limit", "keys", "--limit", "0");
  }

  @Test
  void keysWithAPrefixAreDeletedAndCounted() {
    for (int i = 0; i < 12; i++) {
      run("put", "k/" + i, "1");
    }
    run("put", "z", "1");
    assertPrints("deleted 12\n", "delete", "--prefix", "k/");
    assertPrints("{\"deleted\":1}\n", "delete", "--all", "--json");
    assertFails(3, "invalid_query", "delete", "--prefix", "");
    assertFails(2, "expected one of", "delete");
    assertFails(2, "expected one of", "delete", "a", "--all");
  }

  @Test
  void changesAreWatched() {
    run("put", "a", "1");
    String since = version("a");
    run("put", "a", "2");
    run("put", "b", "\u001b[2J");
    run("delete", "a");
    assertPrints(
        "put a 2\nput b \\u001b[2J\ndelete a\n", "watch", "--since", since, "--count", "3");
    assertEquals(0, run("watch", "a", "--since", since, "--count", "2", "--json"));
    assertTrue(out.toString(UTF_8).startsWith("{\"event\":\"put\",\"key\":\"a\","));
    assertFails(3, "history_forgotten", "watch", "--since", "1", "--count", "1");
  }

  @Test
  void theStatusIsToldToPeopleAndToPrograms() {
    assertEquals(0, run("status"));
    assertTrue(out.toString(UTF_8).contains("entries          0 of 10000\n"), out.toString(UTF_8));
    assertEquals(0, run("status", "--json"));
    assertTrue(out.toString(UTF_8).startsWith("{\"version\":"), out.toString(UTF_8));
  }

  @Test
  void tokensComeFromTheEnvironmentOrAFile(@TempDir Path folder) throws IOException {
    environment.put("PENSIEVE_TOKEN", READ);
    assertFails(5, "forbidden", "put", "a", "1");
    environment.put("PENSIEVE_TOKEN", "no-token-that-is-known");
    assertFails(5, "unauthorized", "get", "a");
    environment.remove("PENSIEVE_TOKEN");
    assertFails(5, "unauthorized", "get", "a");
    Path alone = Files.writeString(folder.resolve("alone"), "# mine\n" + ADMIN + "\n");
    assertPrints("", "put", "a", "1", "--token-file", alone.toString());
    Path roles =
        Files.writeString(folder.resolve("roles"), "read " + READ + "\nadmin " + ADMIN + "\n");
    environment.put("PENSIEVE_TOKEN_FILE", roles.toString());
    assertPrints("", "put", "a", "1");
    Path none = Files.writeString(folder.resolve("none"), "peer " + ADMIN + "\n");
    assertFails(2, "has no token", "get", "a", "--token-file", none.toString());
    assertFails(2, "cannot read", "get", "a", "--token-file", folder + "/missing");
    assertFails(2, "unknown argument --token ", "get", "a", "--token=" + ADMIN);
  }

  @Test
  void aServerThatIsDownIsOneLine() throws IOException {
    try (Socket dead = Ports.dead()) {
      String url = "http://127.0.0.1:" + dead.getLocalPort();
      for (String command : new String[] {"get", "keys", "watch", "incr"}) {
        assertFails(4, "no server answers at " + url, command, "a", "--url", url);
      }
      assertFails(4, "no server answers", "status", "--url", url);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"x", "localhost:7878", "ftp://a", "http://a/b", "http://", "http://u:p@a:1"})
  void aUrlIsThatOfAServer(String url) {
    assertFails(2, "the URL must ", "get", "a", "--url", url);
  }

  @Test
  void anOutputThatNobodyTakesEndsTheCommand() {
    run("put", "a", "1");
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int one) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    PrintStream complaints = new PrintStream(err, true, UTF_8);
    for (String[] command : new String[][] {{"get", "a"}, {"keys"}, {"watch", "--since", "0"}}) {
      ClientProgram program =
          new ClientProgram(
              environment,
              new ByteArrayInputStream(NO_INPUT),
              new PrintStream(broken, false, UTF_8),
              complaints,
              false);
      assertEquals(6, program.run(command), command[0]);
    }
  }

  @Test
  void theHelpNamesTheExitCodes() {
    assertEquals(0, run("get", "--help"));
    assertTrue(out.toString(UTF_8).contains("Exit code: 0 done"), out.toString(UTF_8));
    assertFails(2, "KEY", "get");
    assertFails(2, "unknown argument --jason", "get", "a", "--jason");
  }

  @Test
  void whatIsExportedIsImportedWithTypesAndLives(@TempDir Path folder) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 1203; i++) {
      lines.append("{\"key\":\"k/%d\",\"value\":\"value %d\"}\n".formatted(i, i));
    }
    assertEquals(0, importing(lines + "{\"entries_exported\":1203}\n"), err::toString);
    assertEquals(0, runWith(new byte[] {0, (byte) 0xFF}, "put", "\u001b\u009b", "--ttl", "1h"));
    run("put", "typed", "{}", "--content-type", "application/json");
    Path file = folder.resolve("export.jsonl");
    assertPrints("", "export", file.toString());
    assertFails(2, "is there already", "export", file.toString());
    assertEquals(1206, Files.readAllLines(file).size());
    assertPrints("deleted 1205\n", "delete", "--all");
    assertPrints(
        "{\"imported\":1205,\"expired\":0,\"refused\":0,\"complete\":true}\n",
        "import",
        "--json",
        file.toString());
    assertPrints("value 1202", "get", "k/1202");
    assertEquals(0, run("get", "typed", "--json"));
    assertTrue(out.toString(UTF_8).contains("\"content_type\":\"application/json\""));
    assertEquals(0, run("export", "--prefix", "\u001b"));
    String line = out.toString(UTF_8);
    assertTrue(line.startsWith("{\"key\":\"\\u001b\\u009b\",\"value_base64\":\"AP8=\""), line);
    assertTrue(line.contains("\"expires_at_ms\":"), line);
    assertTrue(line.endsWith("{\"entries_exported\":1}\n"), line);
  }

  private int importing(String lines) {
    return runWith(lines.getBytes(UTF_8), "import", "--json");
  }

  @Test
  void anExportThatIsCutOffIsTold() {
    assertEquals(3, importing("{\"key\":\"a\",\"value\":\"1\"}\n"));
    assertTrue(err.toString(UTF_8).contains("cut off"), err.toString(UTF_8));
    assertEquals(3, importing("{\"key\":\"a\",\"value\":\"1\"}\n{\"entries_exported\":2}\n"));
    assertEquals(0, importing("{\"key\":\"a\",\"value\":\"1\"}\n\n{\"entries_exported\":1}\n"));
    assertEquals(0, importing("{\"entries_exported\":0}\n"));
  }

  @Test
  void aLineThatIsRefusedIsToldAndOthersGoOn() {
    String lines =
        """
        {"key":"a","value":"1"}
        nonsense
        {"key":"","value":"1"}
        []
        {"key":"b","value":"1","expires_at_ms":1}
        {"key":"c","value":"1","expires_at_ms":"soon"}
        {"key":7,"value":{}}
        {"key":"d","value_base64":"?"}
        {"key":"e","value":"1"}
        """;
    assertEquals(3, importing(lines));
    String told = err.toString(UTF_8);
    for (int line : new int[] {2, 3, 4, 6, 7, 8}) {
      assertTrue(told.contains("line " + line + ": "), told);
    }
    assertTrue(
        out.toString(UTF_8).startsWith("{\"imported\":2,\"expired\":1,\"refused\":6,"),
        out.toString(UTF_8));
    assertPrints("a\ne\n", "keys");
  }

  @Test
  void theCompletionKnowsTheCommands() throws Exception {
    PrintStream printed = new PrintStream(out, false, UTF_8);
    assertEquals(0, new Main(Map.of(), printed, printed).run("completion"));
    String script = out.toString(UTF_8);
    assertTrue(script.contains("complete -F _complete_pensieve"), script);
    assertTrue(script.contains("touch"), script);
    assertTrue(ClientProgram.takes("import", "--json", "f"));
    assertFalse(ClientProgram.takes("import", "f"));
    assertFalse(ClientProgram.takes("--port", "1"));
    assertFalse(ClientProgram.takes());
  }
}
