package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The program as whoever runs it sees it: what it prints, and how it ends. */
final class ProgramTest {
  private final Path folder;

  ProgramTest(@TempDir Path folder) {
    this.folder = folder;
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

  @ParameterizedTest
  @CsvSource({"true, 200", "false, 404"})
  void aBrowserGetsAPageUnlessItIsTurnedOff(String ui, int status) throws Exception {
    try (ServerProcess server = ServerProcess.serve(folder, "--durability", "none", "--ui", ui)) {
      HttpURLConnection page =
          (HttpURLConnection) URI.create(server.url() + "/ui/").toURL().openConnection();
      assertEquals(status, page.getResponseCode());
      page.disconnect();
    }
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
  void otherNamesAreToldInOneLineAndThoseOfKubernetesNotAtAll() throws Exception {
    Map<String, String> environment =
        Map.of(
            "PENSIEVE_PORT", "tcp://10.43.0.1:7878",
            "PENSIEVE_SERVICE_HOST", "10.43.0.1",
            "PORT", "0",
            "PENSIEVE_DURABILITY", "none",
            "PENSIEVE_HOME", "/opt");
    try (ServerProcess server = ServerProcess.launch(folder, environment).awaitListening()) {
      assertEquals(
          "not settings, so not used, in the environment: PENSIEVE_HOME" + System.lineSeparator(),
          server.err());
    }
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
    Map<String, String> environment = Map.of("PORT", "0", "PENSIEVE_DURABILITY", "none");
    try (ServerProcess server =
        ServerProcess.launch(folder, environment, "--capacity", "5").awaitListening()) {
      assertTrue(server.out().contains("0 (environment PORT)"), server.out());
      assertTrue(server.out().contains("none (environment PENSIEVE_DURABILITY)"), server.out());
      assertTrue(server.out().contains("5 (--capacity)"), server.out());
      assertTrue(server.out().contains("127.0.0.1 (default)"), server.out());
      assertTrue(server.url().matches("http://127\\.0\\.0\\.1:[1-9][0-9]*"), server.out());
      assertEquals("", server.err());
    }
  }

  @Test
  void itRunsWithWhatItsFileSays() throws Exception {
    Path file = Files.writeString(folder.resolve("p.properties"), "port=0\ndurability=none\n");
    try (ServerProcess server =
        ServerProcess.launch(folder, Map.of(), "--config", file.toString()).awaitListening()) {
      assertTrue(server.out().contains("none (file " + file + ", durability)"), server.out());
      assertTrue(server.out().contains(file + " (--config)"), server.out());
    }
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
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it hangs");
      assertEquals(0, process.exitValue());
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aHangUpReadsFilesAgainAndDoesNotStop() throws Exception {
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
      Files.move(log, folder.resolve("access.log.1"));
      Files.writeString(tokens, "write writer-9876543210");
      server.hangUp();
      server.awaitError("read again");
      try (InputStream answer = URI.create(server.url() + "/readyz").toURL().openStream()) {
        assertTrue(answer.read() > 0);
      }
      assertEquals(0, server.terminate().awaitExit());
      assertTrue(Files.readString(log).contains("/readyz"), "a new file");
    }
  }

  @Test
  void itKeepsNoMoreThanItsCapacity() throws Exception {
    try (ServerProcess server =
        ServerProcess.serve(folder, "--durability", "none", "--capacity", "2")) {
      server.put("a", "1");
      server.put("b", "2");
      assertEquals("1", server.get("a"));
      server.put("c", "3");
      assertEquals("", server.get("b"));
      assertEquals("1", server.get("a"));
      assertEquals("3", server.get("c"));
    }
  }

  @Test
  void aStopThatWasAskedForIsASuccess() throws Exception {
    try (ServerProcess server = ServerProcess.serve(folder, "--durability", "none")) {
      server.put("a", "1");
      assertEquals(0, server.terminate().awaitExit());
      assertTrue(server.out().endsWith("stopped" + System.lineSeparator()), server.out());
    }
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
    try (ServerProcess server = ServerProcess.serve(folder, "--durability", "none")) {
      try (ServerProcess check =
          ServerProcess.launch(folder, Map.of(), healthcheck("--url", server.url()))) {
        assertEquals(0, check.awaitExit());
      }
      assertEquals(0, healthcheck(Map.of("PORT", "" + server.port())));
      assertEquals(0, healthcheck(Map.of("PENSIEVE_PORT", "" + server.port(), "PORT", "1")));
      assertEquals(1, healthcheck(Map.of("PORT", "1")));
      String url = server.url();
      server.terminate().awaitExit();
      assertEquals(1, healthcheck(Map.of(), "--url", url));
    }
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

  @Test
  void healthcheckNeedsNoToken() throws Exception {
    Path tokens = Files.writeString(folder.resolve("tokens"), "read reader-0123456789");
    try (ServerProcess server =
        ServerProcess.serve(folder, "--durability", "none", "--tokens-file", "" + tokens)) {
      assertEquals(0, healthcheck(Map.of(), "--url", server.url()));
    }
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
    try (ServerProcess first =
            ServerProcess.serve(folder, "--durability", "none", "--node-id", "1");
        ServerProcess second =
            ServerProcess.serve(
                folder, "--durability", "none", "--node-id", "2", "--peers", first.url())) {
      second.awaitError("peer " + first.url() + " (node 1): dead -> alive");
    }
  }

  @Test
  void noKeyAndNoValueIsEverPrinted() throws Exception {
    try (ServerProcess server = ServerProcess.serve(folder, "--durability", "none")) {
      server.put("secret-key", "secret-value");
      assertEquals("secret-value", server.get("secret-key"));
      try (Socket client = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
        client
            .getOutputStream()
            .write(
                "GET /get/secret-key%FF HTTP/1.1\r\nHost: localhost\r\n\r\nsecret-value \r\n\r\n"
                    .getBytes(StandardCharsets.UTF_8));
        assertTrue(client.getInputStream().read() > 0);
      }
      server.terminate().awaitExit();
      assertFalse((server.out() + server.err()).contains("secret"), server.out() + server.err());
    }
  }
}
