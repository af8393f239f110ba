package io.pensieve.server.peers;

import static io.pensieve.server.peers.LoopbackPeer.okFrom;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.Certificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Node 1 against peers that speak TLS, or should. Waits for states and counts, never for times. */
class PeersTlsTest {
  private static final String SECRET = "a-secret-of-peers";
  private static final byte[] HALF_A_RECORD = {22, 3, 3, 64, 0};

  private static Certificates authority;
  private static Certificates good;
  private static Certificates another;
  private static Certificates forAnother;
  private static Certificates expired;
  private static Certificates expiredAlone;

  private final PeerTrust trust = new PeerTrust();
  private final List<PeerEvent> events = new CopyOnWriteArrayList<>();
  private final TestResources testResources = new TestResources();

  @BeforeAll
  static void makeCertificates() throws Exception {
    authority = Certificates.authority();
    good = authority.signed();
    forAnother = authority.signedForAnother();
    expired = authority.signedAndExpired();
    another = Certificates.make("RSA");
    expiredAlone = Certificates.expired();
  }

  @BeforeEach
  void trustTheAuthority() throws Exception {
    trust.replace(List.of(authority.certificate()));
  }

  @AfterEach
  void nothingIsLeftRunning() throws Exception {
    testResources.closeAll();
  }

  @Test
  void aPeerWithACertificateOfTheAuthorityIsAliveAndItsConnectionIsKept() throws Exception {
    LoopbackPeer peer = peer(good.showing());
    Peers peers = watch(peer.url());
    awaitState(peers, PeerState.ALIVE);
    await(() -> peer.beatsByConnection().stream().anyMatch(beats -> beats.size() >= 4));
    assertTrue(peer.beats().get(0).contains("\r\nAuthorization: Bearer " + SECRET + "\r\n"));
  }

  @Test
  void aPeerMayBeCalledByItsAddress() throws Exception {
    LoopbackPeer peer = peer(good.showing());
    awaitState(watch(URI.create("https://127.0.0.1:" + peer.port())), PeerState.ALIVE);
  }

  @Test
  void aPeerWhoseOwnCertificateIsTrustedIsAlive() throws Exception {
    trust.replace(List.of(another.certificate()));
    awaitState(watch(peer(another.showing()).url()), PeerState.ALIVE);
  }

  @Test
  void eitherVersionOfTlsWillDo() throws Exception {
    for (String version : List.of("TLSv1.2", "TLSv1.3")) {
      LoopbackPeer peer = new LoopbackPeer(good.showing(), okFrom(2), version);
      testResources.push(peer);
      awaitState(watch(peer.url()), PeerState.ALIVE);
    }
  }

  @Test
  void aCertificateThatNobodyTrustedSignedIsRefused() throws Exception {
    assertRefused(peer(another.showing()), "TLS: its certificate is not trusted here");
  }

  @Test
  void withoutAuthoritiesOfOursThoseOfThisJavaCount() throws Exception {
    LoopbackPeer peer = peer(good.showing());
    watch(new PeerTrust(), peer.url());
    await(() -> complaints().contains("its certificate is not trusted here"));
    assertEquals(List.of(), peer.beats());
  }

  @Test
  void aCertificateForAnotherNameIsRefused() throws Exception {
    LoopbackPeer peer = peer(forAnother.showing());
    assertRefused(
        peer,
        "TLS: its certificate is not trusted here: No subject alternative DNS name matching"
            + " localhost found");
  }

  @Test
  void aCertificateThatHasExpiredIsRefused() throws Exception {
    assertRefused(peer(expired.showing()), "TLS: its certificate is not valid now: NotAfter: ");
  }

  @Test
  void aCertificateThatIsTrustedItselfAndHasExpiredIsRefusedToo() throws Exception {
    trust.replace(List.of(expiredAlone.certificate()));
    assertRefused(
        peer(expiredAlone.showing()), "TLS: its certificate is not valid now: NotAfter: ");
  }

  @Test
  void aPeerWithoutTlsIsRefused() throws Exception {
    URI url =
        listen(
            socket -> {
              socket.getInputStream().read();
              socket.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".getBytes(US_ASCII));
              socket.getInputStream().readAllBytes();
            });
    Peers peers = watch(url);
    await(() -> complaints().contains("TLS: Unsupported or unrecognized SSL message"));
    assertEquals(PeerState.DEAD, peers.view().get(0).state());
  }

  @Test
  void aPeerThatWantsTlsAndIsCalledWithoutItIsDead() throws Exception {
    LoopbackPeer peer = peer(good.showing());
    Peers peers = watch(peer.url("http"));
    await(() -> !complaints().isEmpty());
    assertEquals(PeerState.DEAD, peers.view().get(0).state());
    assertEquals(List.of(), peer.beats());
  }

  private void assertRefused(LoopbackPeer peer, String reason) throws Exception {
    Peers peers = watch(peer.url());
    await(() -> complaints().contains(reason));
    assertEquals(PeerState.DEAD, peers.view().get(0).state());
    assertEquals(List.of(), peer.beats(), "the secret was shown");
    int connections = peer.connections();
    await(() -> peer.connections() >= connections + 3);
    assertEquals(1, events.size(), () -> "told once, not " + events);
  }

  @Test
  void authoritiesThatAreReplacedHoldForConnectionsThatAreThere() throws Exception {
    LoopbackPeer peer = peer(good.showing());
    Peers peers = watch(peer.url());
    for (int i = 0; i < 2; i++) {
      awaitState(peers, PeerState.ALIVE);
      trust.replace(List.of(another.certificate()));
      awaitState(peers, PeerState.DEAD);
      assertTrue(last().toString().contains("is not trusted here"), () -> "" + events);
      trust.replace(List.of(another.certificate(), authority.certificate()));
    }
    awaitState(peers, PeerState.ALIVE);
  }

  @Test
  void thePeerIsToldByWhichNameItIsCalledEvenIfThatHasNoDot() throws Exception {
    List<List<SNIServerName>> asked = new CopyOnWriteArrayList<>();
    URI url =
        listen(
            plain -> {
              SSLSocket secured =
                  (SSLSocket) good.showing().getSocketFactory().createSocket(plain, null, 0, true);
              secured.setUseClientMode(false);
              secured.startHandshake();
              asked.add(((ExtendedSSLSession) secured.getSession()).getRequestedServerNames());
            });
    watch(url);
    await(() -> !asked.isEmpty());
    assertEquals(List.of(new SNIHostName("localhost")), asked.get(0));
  }

  @Test
  void aPeerThatDripsInTheHandshakeIsGivenUp() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    testResources.push(over::countDown);
    AtomicInteger connections = new AtomicInteger();
    URI url =
        listen(
            socket -> {
              connections.incrementAndGet();
              socket.getOutputStream().write(HALF_A_RECORD);
              while (!over.await(20, MILLISECONDS)) {
                socket.getOutputStream().write(0);
              }
            });
    watch(url);
    await(() -> connections.get() >= 3 && complaints().contains("no answer in time"));
  }

  @Test
  void closingEndsAHandshakeAtOnce() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    URI url =
        listen(
            socket -> {
              begun.countDown();
              socket.getInputStream().readAllBytes();
            });
    HeartbeatConnection connection =
        new HeartbeatConnection(url, 1, Optional::empty, trust, Duration.ofDays(1).toNanos());
    Thread beating =
        new Thread(
            () -> assertThrows(IOException.class, connection::sendHeartbeat), "loopback-peer");
    beating.start();
    begun.await();
    await(() -> isReading(beating));
    connection.close();
    beating.join(TestResources.PATIENCE.toMillis());
    assertFalse(beating.isAlive());
    assertThrows(IOException.class, connection::sendHeartbeat);
  }

  private static boolean isReading(Thread thread) {
    for (StackTraceElement frame : thread.getStackTrace()) {
      if (frame.getMethodName().equals("startHandshake")) {
        return true;
      }
    }
    return false;
  }

  private interface Session {
    void over(Socket socket) throws Exception;
  }

  /** A peer that does something else than to shake hands. */
  private URI listen(Session session) throws IOException {
    ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    testResources.push(listener);
    new Thread(() -> accept(listener, session), "loopback-peer").start();
    return URI.create("https://localhost:" + listener.getLocalPort());
  }

  private static void accept(ServerSocket listener, Session session) {
    while (true) {
      try {
        Socket socket = listener.accept();
        new Thread(() -> serve(socket, session), "loopback-peer").start();
      } catch (IOException closed) {
        return;
      }
    }
  }

  private static void serve(Socket socket, Session session) {
    try (socket) {
      session.over(socket);
    } catch (Exception hungUp) {
      // What it is there to see is seen at the other end.
    }
  }

  private LoopbackPeer peer(SSLContext tls) throws IOException {
    return testResources.push(new LoopbackPeer(tls, okFrom(2), "TLSv1.2", "TLSv1.3"));
  }

  private Peers watch(URI url) {
    return watch(trust, url);
  }

  private Peers watch(PeerTrust trusting, URI url) {
    return testResources.push(
        Peers.start(1, List.of(url), () -> Optional.of(SECRET), trusting, events::add));
  }

  private String complaints() {
    StringBuilder all = new StringBuilder();
    for (PeerEvent event : events) {
      if (event instanceof PeerUnresponsive complaint) {
        all.append(complaint.reason()).append('\n');
      }
    }
    return all.toString();
  }

  private PeerEvent last() {
    return events.get(events.size() - 1);
  }

  private void awaitState(Peers peers, PeerState state) throws Exception {
    await(() -> peers.view().get(0).state() == state);
  }

  private void await(BooleanSupplier condition) throws InterruptedException {
    TestResources.await(condition, () -> "waited in vain: " + events);
  }
}
