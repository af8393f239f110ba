package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program with TLS. */
final class TlsProgramTest {

  @Test
  void itShowsTheCertificateOfItsFilesAndTheNewOneWhenTheyChange(@TempDir Path folder)
      throws Exception {
    Path chain = folder.resolve("chain.pem");
    Path key = folder.resolve("key.pem");
    Certificates first = Certificates.make("EC");
    Certificates second = Certificates.make("EC");
    first.write(chain, key);
    try (ServerProcess server =
        ServerProcess.serve(
            folder,
            "--durability",
            "none",
            "--tls-certificate",
            chain.toString(),
            "--tls-key",
            key.toString())) {
      assertTrue(server.url().startsWith("https://127.0.0.1:"), server.out());
      assertEquals(200, status(server.url(), first));
      assertEquals(0, healthcheck(server.url()));

      Files.write(key, second.keyPem()); // not that of the certificate that is still there
      server.awaitError("the private key is not that of the certificate");
      assertEquals(200, status(server.url(), first));

      Files.write(chain, second.chainPem());
      server.awaitError("read again");
      assertEquals(200, status(server.url(), second));
      server.terminate().awaitExit();
      assertFalse((server.out() + server.err()).contains("BEGIN"), server.err());
    }
  }

  private static int status(String url, Certificates trusted) throws Exception {
    return HttpClient.newBuilder()
        .sslContext(Certificates.trusting(trusted))
        .build()
        .send(HttpRequest.newBuilder(URI.create(url + "/livez")).build(), BodyHandlers.discarding())
        .statusCode();
  }

  private static int healthcheck(String url) throws Exception {
    return CommandRun.of(Map.of(), "healthcheck", "--url", url).status();
  }

  @Test
  void filesThatAreNoneEndInOneLine(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "nothing");
    CommandRun.of(
            Map.of("PORT", "0", "PENSIEVE_DURABILITY", "none"),
            "--tls-certificate",
            file.toString(),
            "--tls-key",
            file.toString())
        .assertEndsInOneLine("expected certificates in PEM");
  }
}
