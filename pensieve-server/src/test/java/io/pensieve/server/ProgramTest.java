package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The program as whoever runs it sees it: what it prints, and how it ends. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class ProgramTest {
  private static final int LAST = Integer.MAX_VALUE;

  // Of /proc/self/status: a bit for each signal that is ignored; the lowest is SIGHUP's.
  private static final Pattern SIGNALS_IGNORED = Pattern.compile("(?m)^SigIgn:\\s*(\\p{XDigit}+)$");

  /** For all tests that look at a server and leave it as it is; the last one stops it. */
  private static ServerProcess running;

  private final Path folder;

  ProgramTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @BeforeAll
  static void serve(@TempDir Path folder) throws Exception {
    running =
        ServerProcess.serve(
            folder, "--durability", "none", "--capacity", "2", "--node-id", "1", "--ui", "true");
  }

  @AfterAll
  static void close() {
    running.close();
  }

  @Test
  void helpNamesEverySettingWithItsDefault() throws Exception {
    CommandRun help = CommandRun.of(Map.of(), "--help");
    assertEquals(0, help.status());
    for (Setting setting : Setting.values()) {
      boolean hasFlag = help.out().contains(setting.flag() + (setting.isSwitch() ? "[=" : "="));
      assertEquals(!setting.isSecret(), hasFlag, setting + " in " + help.out());
      for (String name : setting.environmentNames()) {
        assertTrue(help.out().contains(name), help.out());
      }
    }
    assertTrue(help.out().contains("healthcheck"), help.out());
    assertEquals("", help.err());
  }

  @Test
  void versionIsOneLine() throws Exception {
    try (ServerProcess program = ServerProcess.launch(folder, Map.of(), "--version")) {
      assertEquals(0, program.awaitExit());
      assertTrue(program.out().startsWith("pensieve-server "), program.out());
      assertEquals(1, program.out().lines().count());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--colour, blue",
    "--port, x",
    "--capacity, 0",
    "--durability, sometimes",
    "--peers, nowhere",
    "--bind, 203.0.113.1",
    "--bind, 0.0.0.0",
    "--tokens-file, nowhere",
    "stray, argument"
  })
  void whatItCannotStartWithEndsInOneLine(String flag, String value) throws Exception {
    Map<String, String> environment = Map.of("PENSIEVE_PORT", "0", "PENSIEVE_DURABILITY", "none");
    CommandRun.of(environment, flag, value).assertEndsInOneLine("");
  }

  @Test
  void anEnvironmentItCannotStartWithEndsInOneLine() throws Exception {
    try (ServerProcess program = ServerProcess.launch(folder, Map.of("PORT", "http"))) {
      assertEndsInOneLine(
          program, "environment PORT: expected a number from 0 to 65535, found \"http\"");
    }
  }

  @Test
  void aMistypedNameOfTheEnvironmentEndsInOneLine() throws Exception {
    Map<String, String> environment =
        Map.of(
            "PENSIEVE_TOKEN_FILE",
            "tokens",
            "PENSIEVE_PORT",
            "0",
            "PENSIEVE_DATA_DIR",
            "" + folder.resolve("d"));
    CommandRun.of(environment).assertEndsInOneLine("PENSIEVE_TOKENS_FILE");
    assertFalse(Files.exists(folder.resolve("d")));
  }

  @Test
  void aHeapThatIsTooSmallEndsInOneLine() throws Exception {
    try (ServerProcess program = ServerProcess.launch(folder, "-Xmx20m", Map.of("PORT", "0"))) {
      assertEndsInOneLine(program, "-Xmx");
    }
  }

  @Test
  void aPortInUseEndsInOneLine() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = "" + taken.getLocalPort();
      CommandRun.of(Map.of(), "--durability", "none", "--port", port)
          .assertEndsInOneLine("127.0.0.1:" + port);
    }
  }

  static void assertEndsInOneLine(ServerProcess program, String part) throws Exception {
    int status = program.awaitExit();
    new CommandRun(status, program.out(), program.err()).assertEndsInOneLine(part);
  }

  @Test
  void itPrintsWhatItRunsWithAndWhereThatCameFrom() throws Exception {
    Path file = Files.writeString(folder.resolve("p.properties"), "ui=false\nport=1\n");
    Map<String, String> environment =
        Map.of(
            "PENSIEVE_PORT", "tcp://10.43.0.1:7878", // of Kubernetes, as the next one
            "PENSIEVE_SERVICE_HOST", "10.43.0.1",
            "PORT", "0",
            "PENSIEVE_DURABILITY", "none",
            "PENSIEVE_HOME", "/opt");
    try (ServerProcess started =
        ServerProcess.launch(folder, environment, "--capacity", "5", "--config", file.toString())
            .awaitListening()) {
      String out = started.out();
      assertTrue(out.contains("0 (environment PORT)"), out);
      assertTrue(out.contains("none (environment PENSIEVE_DURABILITY)"), out);
      assertTrue(out.contains("5 (--capacity)"), out);
      assertTrue(out.contains("127.0.0.1 (default)"), out);
      assertTrue(out.contains("false (file " + file + ", ui)"), out);
      assertTrue(out.contains(file + " (--config)"), out);
      assertTrue(started.url().matches("http://127\\.0\\.0\\.1:[1-9][0-9]*"), out);
      assertEquals(
          "not settings, so not used, in the environment: PENSIEVE_HOME" + System.lineSeparator(),
          started.err());
      assertEquals(404, statusOfPage(started), "the page is turned off");
    }
  }

  private static int statusOfPage(ServerProcess server) throws Exception {
    HttpURLConnection page =
        (HttpURLConnection) URI.create(server.url() + "/ui/").toURL().openConnection();
    int status = page.getResponseCode();
    page.disconnect();
    return status;
  }

  @Test
  void aBrowserGetsAPage() throws Exception {
    assertEquals(200, statusOfPage(running));
  }

  @Test
  void whatDoesNotEndIsCutAtTheDrainDeadline() throws Exception {
    try (ServerProcess server =
            ServerProcess.serve(folder, "--durability", "none", "--drain-deadline", "100ms");
        Socket client = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      client
          .getOutputStream()
          .write(
              "POST /put HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
                  .getBytes(StandardCharsets.UTF_8));
      assertTrue(client.getInputStream().read() > 0);
      assertEquals(0, server.terminate().awaitExit());
      assertTrue(server.out().endsWith("stopped" + System.lineSeparator()), server.out());
    }
  }

  @Test
  void anAccessLogOnTheStandardOutputLeavesRoomForTheEnd() throws Exception {
    try (ServerProcess server =
        ServerProcess.serve(folder, "--durability", "none", "--access-log", "-")) {
      server.put("a", "1");
      assertEquals(0, server.terminate().awaitExit());
      assertTrue(server.out().contains("\"route\":\"/put\""), server.out());
      assertTrue(server.out().endsWith("stopped" + System.lineSeparator()), server.out());
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void itStopsAlthoughNobodyReadsWhatItPrints() throws Exception {
    Process process =
        new ProcessBuilder(
                ServerProcess.command("--port", "0", "--durability", "none", "--access-log", "-"))
            .redirectErrorStream(true)
            .start();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      String url = "";
      while (!url.startsWith("listening on ")) {
        url = String.valueOf(lines.readLine());
      }
      URI address = URI.create(url.substring("listening on ".length()));
      try (Socket client = new Socket(address.getHost(), address.getPort())) {
        OutputStream out = client.getOutputStream();
        // As many lines as no pipe holds.
        String requests = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
        for (int i = 0; i < 20; i++) {
          out.write(requests.getBytes(StandardCharsets.UTF_8));
          client.getInputStream().readNBytes(100 * "HTTP/1.1 200 OK".length());
        }
      }
      process.destroy();
      assertTrue(process.waitFor(2, TimeUnit.MINUTES), "it hangs");
      assertEquals(0, process.exitValue());
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aHangUpReadsFilesAgainAndDoesNotStop() throws Exception {
    assumeFalse(isHangUpIgnored(), "skipped: started by nohup, or alike");
    Path log = folder.resolve("access.log");
    Path tokens = Files.writeString(folder.resolve("tokens"), "write writer-0123456789");
    try (ServerProcess server =
        ServerProcess.serve(
            folder,
            "--durability",
            "none",
            "--access-log",
            "" + log,
            "--tokens-file",
            "" + tokens)) {
      assertEquals(0, healthcheck(Map.of(), "--url", server.url()), "it needs no token");
      Files.move(log, folder.resolve("access.log.1"));
      Files.writeString(tokens, "write writer-9876543210");
      server.hangUp();
      server.awaitError("SIGHUP: looking at files again");
      server.awaitError("read again");
      try (InputStream answer = URI.create(server.url() + "/readyz").toURL().openStream()) {
        assertTrue(answer.read() > 0);
      }
      assertEquals(0, server.terminate().awaitExit());
      assertTrue(Files.readString(log).contains("/readyz"), "a new file");
    }
  }

  /**
   * Whether SIGHUP is ignored here. A process inherits that, and a JVM then keeps it so: no server
   * that this test starts would ever see the signal. Where /proc does not tell, it is not.
   */
  private static boolean isHangUpIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return false;
    }
    Matcher ignored = SIGNALS_IGNORED.matcher(Files.readString(status));
    return ignored.find() && (Long.parseUnsignedLong(ignored.group(1), 16) & 1) != 0;
  }

  @Test
  void itKeepsNoMoreThanItsCapacity() throws Exception {
    running.put("a", "1");
    running.put("b", "2");
    assertEquals("1", running.get("a"));
    running.put("c", "3");
    assertEquals("", running.get("b"));
    assertEquals("1", running.get("a"));
    assertEquals("3", running.get("c"));
  }

  @Test
  @Order(LAST)
  void aStopThatWasAskedForIsASuccessAndNoKeyAndNoValueIsEverPrinted() throws Exception {
    running.put("secret-key", "secret-value");
    assertEquals("secret-value", running.get("secret-key"));
    try (Socket client = new Socket(InetAddress.getLoopbackAddress(), running.port())) {
      client
          .getOutputStream()
          .write(
              "GET /get/secret-key%FF HTTP/1.1\r\nHost: localhost\r\n\r\nsecret-value \r\n\r\n"
                  .getBytes(StandardCharsets.UTF_8));
      assertTrue(client.getInputStream().read() > 0);
    }
    String url = running.url();
    assertEquals(0, running.terminate().awaitExit());
    assertTrue(running.out().endsWith("stopped" + System.lineSeparator()), running.out());
    assertFalse((running.out() + running.err()).contains("secret"), running.out() + running.err());
    assertEquals(1, healthcheck(Map.of(), "--url", url), "it has stopped");
  }

  @Test
  void whatIsInFlightIsFinishedBeforeItStops() throws Exception {
    try (ServerProcess server = ServerProcess.serve(folder, "--durability", "none");
        Socket client = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      String body = "{\"key\":\"a\",\"val\":\"1\"}";
      String head =
          "POST /put HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              + "Expect: 100-continue\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n";
      client.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
      // With this line it is certain that the request is in flight.
      String goOn = "HTTP/1.1 100 Continue\r\n";
      assertEquals(
          goOn,
          new String(client.getInputStream().readNBytes(goOn.length()), StandardCharsets.UTF_8));
      server.terminate();
      client.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
      String rest = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(rest.endsWith("{\"status\":\"ok\"}"), rest);
      assertEquals(0, server.awaitExit());
    }
  }

  @Test
  void healthcheckTellsWhetherAServerAnswers() throws Exception {
    try (ServerProcess check =
        ServerProcess.launch(folder, Map.of(), healthcheck("--url", running.url()))) {
      assertEquals(0, check.awaitExit());
    }
    assertEquals(0, healthcheck(Map.of("PORT", "" + running.port())));
    assertEquals(0, healthcheck(Map.of("PENSIEVE_PORT", "" + running.port(), "PORT", "1")));
    assertEquals(1, healthcheck(Map.of("PORT", "1")));
  }

  @Test
  void healthcheckFindsTheServerByItsSettingsAndEndsWithOneElse() throws Exception {
    try (ServerProcess server =
        ServerProcess.serve(folder, "--durability", "none", "--bind", "127.0.0.2")) {
      Map<String, String> bind = Map.of("PENSIEVE_BIND", "127.0.0.2");
      assertEquals(0, healthcheck(bind, "--port", "" + server.port()));
      Path file = Files.writeString(folder.resolve("h.properties"), "port=" + server.port());
      assertEquals(0, healthcheck(bind, "--config", "" + file, "--data-dir", "anywhere"));
      assertEquals(1, healthcheck(Map.of(), "--config", "" + file), "another address");
      assertEquals(1, healthcheck(Map.of(), "--colour", "blue"));
    }
    assertEquals(1, healthcheck(Map.of("PORT", "x")));
  }

  private static int healthcheck(Map<String, String> environment, String... args) throws Exception {
    return CommandRun.of(environment, healthcheck(args)).status();
  }

  private static String[] healthcheck(String... args) {
    String[] all = new String[args.length + 1];
    all[0] = "healthcheck";
    System.arraycopy(args, 0, all, 1, args.length);
    return all;
  }

  @Test
  void twoNodesSeeEachOther() throws Exception {
    try (ServerProcess second =
        ServerProcess.serve(
            folder, "--durability", "none", "--node-id", "2", "--peers", running.url())) {
      second.awaitError("peer " + running.url() + " (node 1): dead -> alive");
    }
  }
}
