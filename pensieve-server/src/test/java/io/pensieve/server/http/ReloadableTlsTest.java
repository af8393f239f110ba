package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Log;
import io.pensieve.server.Certificates;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.server.http.transport.ReloadableTls;
import java.io.IOException;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS, and HTTP/1.1 over it, which is all that is offered. */
final class ReloadableTlsTest {
  private static final ConnectionLimits IMPATIENT =
      new ConnectionLimits(10, 10, Duration.ofSeconds(3), Duration.ofSeconds(10));

  private static Certificates first;
  private static Certificates second;
  private static Certificates another;

  private final ReloadableTls tls = new ReloadableTls();
  private ServerUnderTest server;

  @BeforeAll
  static void makeCertificates() throws Exception {
    first = Certificates.make("EC");
    second = Certificates.make("RSA");
    another = Certificates.make("EC");
  }

  @BeforeEach
  void start() throws Exception {
    tls.replace(first.chainPem(), first.keyPem());
    server =
        new ServerUnderTest(
            Log.none(),
            ServerUnderTest.showing(tls, ConnectionLimits.defaults()),
            Cluster.alone(1));
  }

  @AfterEach
  void everyRequestIsAnsweredToItsEnd() throws Exception {
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    server.close();
  }

  @ParameterizedTest
  @EnumSource(HttpClient.Version.class)
  void http11IsSpokenWhateverIsAskedForFirst(HttpClient.Version version) throws Exception {
    HttpClient client = client(version, first);
    String value = "v".repeat(300_000);
    for (int i = 0; i < 20; i++) {
      HttpResponse<String> put =
          send(client, request("/v1/kv/a%2Fb").PUT(BodyPublishers.ofString(value + i)));
      assertEquals(i == 0 ? 201 : 204, put.statusCode());
      HttpResponse<String> got = send(client, request("/v1/kv/a/b"));
      assertEquals(HttpClient.Version.HTTP_1_1, got.version());
      assertEquals(value + i, got.body());
    }
    HttpResponse<String> missing = send(client, request("/v1/kv/" + "%C3%A9"));
    assertEquals(404, missing.statusCode());
    assertEquals("no_such_key", ServerUnderTest.code(missing.body()));
    assertEquals(405, send(client, request("/put")).statusCode());
  }

  @Test
  void byAlpnNothingButHttp11IsOffered() throws Exception {
    assertEquals("http/1.1", negotiated("h2", "http/1.1"));
    assertEquals("http/1.1", negotiated("http/1.1"));
    assertEquals("", negotiated());
    assertThrows(SSLException.class, () -> negotiated("h2"));
    assertThrows(SSLException.class, () -> negotiated("http/1.0", "h2c"));
  }

  private String negotiated(String... asked) throws Exception {
    int port = server.http.address().getPort();
    try (SSLSocket socket =
        (SSLSocket)
            Certificates.trusting(first)
                .getSocketFactory()
                .createSocket(server.http.address().getAddress(), port)) {
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setApplicationProtocols(asked);
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      return socket.getApplicationProtocol();
    }
  }

  @Test
  void manyRequestsAtOnceAreAnswered() throws Exception {
    HttpClient client = client(HttpClient.Version.HTTP_2, first);
    send(client, request("/livez"));
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      HttpRequest put = request("/v1/kv/key" + i).PUT(BodyPublishers.ofString("value" + i)).build();
      answers.add(client.sendAsync(put, BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      assertEquals(201, answer.join().statusCode());
    }
    assertEquals("value19", server.map.get("key19"));
  }

  @Test
  void aBodyThatIsTooLongIsRefusedAndTheRefusalArrives() throws Exception {
    try (SSLSocket socket = connect("TLSv1.3", first)) {
      int length = SizeLimits.DEFAULT_VALUE_BYTES_MAX + 1;
      String head = "PUT /v1/kv/a HTTP/1.1\r\nHost: test\r\nContent-Length: " + length;
      socket.getOutputStream().write((head + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      byte[] piece = new byte[1 << 16];
      for (int sent = 0; sent < 4 << 20; sent += piece.length) {
        socket.getOutputStream().write(piece); // without a reset
      }
      String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
      assertEquals("HTTP/1.1 413", answer);
    }
  }

  @Test
  void newConnectionsGetTheNewCertificate() throws Exception {
    try (SSLSocket before = connect("TLSv1.3", first, second)) {
      assertEquals(first.certificate(), shown(before));
      tls.replace(second.chainPem(), second.keyPem());
      try (SSLSocket after = connect("TLSv1.3", first, second)) {
        assertEquals(second.certificate(), shown(after));
      }
      before
          .getOutputStream()
          .write("GET /livez HTTP/1.1\r\nHost: test\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertEquals('H', before.getInputStream().read());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void versionsFromTls12OnAreSpoken(String version) throws Exception {
    try (SSLSocket socket = connect(version, first)) {
      assertEquals(version, socket.getSession().getProtocol());
    }
  }

  @Test
  void everyKindOfKeyIsOfUse() throws Exception {
    Certificates third = Certificates.make("Ed25519");
    for (Certificates each : List.of(first, second, third)) {
      tls.replace(each.chainPem(), each.keyPem());
      try (SSLSocket socket = connect("TLSv1.3", each)) {
        assertEquals(each.certificate(), shown(socket));
      }
    }
  }

  @Test
  void whatCannotBeUsedIsRefusedAndLeavesWhatWasThere() throws Exception {
    byte[] nothing = {};
    byte[] pkcs1 =
        "-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----\n"
            .getBytes(StandardCharsets.US_ASCII);
    assertRefused("expected certificates", nothing, first.keyPem());
    assertRefused("expected certificates", first.keyPem(), first.keyPem());
    assertRefused("expected a private key in PEM", first.chainPem(), nothing);
    assertRefused("openssl pkcs8", first.chainPem(), pkcs1);
    assertRefused("for a certificate of EC", first.chainPem(), second.keyPem());
    assertRefused("is not that of", first.chainPem(), another.keyPem());
    try (SSLSocket socket = connect("TLSv1.3", first)) {
      assertEquals(first.certificate(), shown(socket));
    }
  }

  private void assertRefused(String part, byte[] chain, byte[] key) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> tls.replace(chain, key));
    assertTrue(String.valueOf(refused.getMessage()).contains(part), refused.getMessage());
  }

  @Test
  void withoutACertificateThereIsNoHandshake() throws Exception {
    try (ServerUnderTest bare =
        new ServerUnderTest(
            Log.none(),
            ServerUnderTest.showing(new ReloadableTls(), ConnectionLimits.defaults()),
            Cluster.alone(1))) {
      assertThrows(IOException.class, () -> connect(bare, "TLSv1.3", first).close());
    }
  }

  @Test
  void whoDoesNotSpeakTlsIsCutOff() throws Exception {
    try (RawClient plain = server.connect()) {
      plain.request("GET", "/livez");
      plain.awaitClosed();
    }
    try (SSLSocket socket = connect("TLSv1.3", first)) {
      assertEquals(first.certificate(), shown(socket));
    }
  }

  @Test
  void aSecondHandshakeOnAConnectionIsRefused() throws Exception {
    byte[] request = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8);
    StringBuilder answers = new StringBuilder();
    // Without an alert, the connection lasts as long as a client may be silent.
    try (ServerUnderTest impatient =
            new ServerUnderTest(
                Log.none(), ServerUnderTest.showing(tls, IMPATIENT), Cluster.alone(1));
        SSLSocket socket = connect(impatient, "TLSv1.2", first)) {
      socket.getOutputStream().write(request);
      answers.append((char) socket.getInputStream().read());
      socket.startHandshake();
      socket.getOutputStream().write(request);
      while (answers.indexOf("HTTP", 2) < 0) {
        int next = socket.getInputStream().read();
        if (next < 0) {
          return;
        }
        answers.append((char) next);
      }
    } catch (SSLException | SocketException refused) {
      return; // an alert, or the connection is gone
    }
    throw new AssertionError("answered after a second handshake: " + answers);
  }

  @Test
  void whoIsSilentInTheHandshakeIsCutOff() throws Exception {
    try (ServerUnderTest impatient =
            new ServerUnderTest(
                Log.none(), ServerUnderTest.showing(tls, IMPATIENT), Cluster.alone(1));
        RawClient silent = impatient.connect();
        SSLSocket wordless = connect(impatient, "TLSv1.3", first)) {
      silent.awaitClosed();
      assertEquals(-1, wordless.getInputStream().read());
    }
  }

  private Certificate shown(SSLSocket socket) throws SSLException {
    return socket.getSession().getPeerCertificates()[0];
  }

  private SSLSocket connect(String version, Certificates... trusted) throws Exception {
    return connect(server, version, trusted);
  }

  private static SSLSocket connect(ServerUnderTest to, String version, Certificates... trusted)
      throws Exception {
    SSLSocket socket =
        (SSLSocket)
            Certificates.trusting(trusted)
                .getSocketFactory()
                .createSocket(to.http.address().getAddress(), to.http.address().getPort());
    try {
      socket.setSoTimeout((int) ServerUnderTest.PATIENCE.toMillis());
      socket.setEnabledProtocols(new String[] {version});
      socket.startHandshake();
      return socket;
    } catch (IOException refused) {
      socket.close();
      throw refused;
    }
  }

  private static HttpClient client(HttpClient.Version version, Certificates trusted)
      throws Exception {
    return HttpClient.newBuilder()
        .version(version)
        .sslContext(Certificates.trusting(trusted))
        .build();
  }

  private HttpRequest.Builder request(String path) {
    int port = server.http.address().getPort();
    return HttpRequest.newBuilder(URI.create("https://localhost:" + port + path))
        .timeout(ServerUnderTest.PATIENCE);
  }

  private static HttpResponse<String> send(HttpClient client, HttpRequest.Builder request)
      throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }
}
