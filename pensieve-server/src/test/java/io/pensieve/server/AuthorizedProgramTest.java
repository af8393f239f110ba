package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program with tokens: who is let in, and that nobody is told a secret. */
final class AuthorizedProgramTest {
  private static final String SECRETS =
      """
      read the-secret-to-read
      admin the-secret-to-admin
      peer the-secret-of-peers
      """;
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private final Path folder;
  private final Path tokens;
  private String printed = "";

  AuthorizedProgramTest(@TempDir Path folder) {
    this.folder = folder;
    this.tokens = folder.resolve("tokens");
  }

  @AfterEach
  void noSecretIsPrinted() {
    assertFalse(printed.contains("the-secret"), printed);
  }

  @Test
  void tokensAreReadAgainWhenTheyChangeAndBadOnesAreNot() throws Exception {
    write(SECRETS);
    try (ServerProcess server = serve()) {
      assertEquals(401, status(server, "the-secret-to-renew"));
      assertEquals(200, status(server, "the-secret-to-read"));

      write(SECRETS + "owner the-secret-to-own");
      server.awaitError("line 4: expected a role");
      assertEquals(200, status(server, "the-secret-to-read"));

      write("read the-secret-to-renew");
      server.awaitError("read again");
      assertEquals(200, status(server, "the-secret-to-renew"));
      assertEquals(401, status(server, "the-secret-to-read"));
      end(server);
    }
  }

  @Test
  void tokensMayComeFromTheEnvironmentAndAreNotShown() throws Exception {
    Map<String, String> environment =
        Map.of("PENSIEVE_TOKENS", "read the-secret-to-read,write the-secret-to-write");
    try (ServerProcess server =
        ServerProcess.launch(folder, environment, "--port", "0", "--durability", "none")
            .awaitListening()) {
      assertEquals(401, status(server, ""));
      assertEquals(200, status(server, "the-secret-to-read"));
      assertTrue(server.out().contains("(secret) (environment PENSIEVE_TOKENS)"), server.out());
      assertEquals("", server.err());
      end(server);
    }
  }

  @Test
  void aSecretGivenAsAFlagByMistakeIsNotRepeated() throws Exception {
    for (String flag : new String[] {"--tokens", "--tokens=the-secret-to-read"}) {
      CommandRun run = CommandRun.of(Map.of(), flag, "the-secret");
      run.assertEndsInOneLine("unknown argument --tokens");
      printed += run.out() + run.err();
    }
  }

  @Test
  void whoeverCanUseTheFileIsTold() throws Exception {
    write(SECRETS);
    assertEquals("", warning("rw-r-----"));
    assertWarns("read", "rw-r--r--");
    assertWarns("write", "rw-rw--w-");
    assertWarns("read and write", "rw-r--rw-");
  }

  private void assertWarns(String what, String permissions) throws Exception {
    String line = "warning: everybody on this machine can " + what + " " + tokens + "; chmod ";
    assertTrue(warning(permissions).startsWith(line), warning(permissions));
  }

  private String warning(String permissions) throws Exception {
    Files.setPosixFilePermissions(tokens, PosixFilePermissions.fromString(permissions));
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    FileReloader.warnIfOthersCanUse(tokens, new PrintStream(told, true, UTF_8));
    return told.toString(UTF_8);
  }

  @Test
  void nodesWithTheSameSecretSeeEachOtherAlsoBeyondLoopback() throws Exception {
    write(SECRETS);
    Files.setPosixFilePermissions(tokens, PosixFilePermissions.fromString("rw-r--r--"));
    try (ServerProcess first = serve("--node-id", "1", "--bind", "0.0.0.0")) {
      assertTrue(
          first.url().matches("http://(0\\.0\\.0\\.0|\\[0:0:0:0:0:0:0:0]):\\d+"), first.out());
      first.awaitError("warning: everybody on this machine can read " + tokens);
      String url = "http://127.0.0.1:" + first.port();
      try (ServerProcess second = serve("--node-id", "2", "--peers", url)) {
        second.awaitError("peer " + url + " (node 1): dead -> alive");
        end(first);
        end(second);
      }
    }
  }

  private ServerProcess serve(String... more) throws Exception {
    String[] all = new String[more.length + 4];
    System.arraycopy(more, 0, all, 4, more.length);
    all[0] = "--durability";
    all[1] = "none";
    all[2] = "--tokens-file";
    all[3] = tokens.toString();
    return ServerProcess.serve(folder, all);
  }

  private void end(ServerProcess server) throws Exception {
    server.terminate().awaitExit();
    printed += server.out() + server.err();
  }

  private static int status(ServerProcess server, String token) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + "/get/a"));
    if (!token.isEmpty()) {
      request.header("Authorization", "Bearer " + token);
    }
    return CLIENT.send(request.build(), BodyHandlers.discarding()).statusCode();
  }

  private void write(String lines) throws Exception {
    Path fresh = Files.writeString(folder.resolve("fresh"), lines);
    Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
    Files.move(fresh, tokens, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
