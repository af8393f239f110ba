package io.pensieve.server.peers;

import static io.pensieve.server.peers.LoopbackPeer.bytes;
import static io.pensieve.server.peers.LoopbackPeer.okFrom;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Ports;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Node 1 against peers on loopback. Waits for states and counts, never for times. */
class PeersTest {
  private static final int BEATS_BESIDE = 6;

  private final List<PeerStateChange> changes = new CopyOnWriteArrayList<>();
  private final TestResources testResources = new TestResources();

  @AfterEach
  void nothingIsLeftRunning() throws Exception {
    testResources.closeAll();
  }

  @Test
  void beatsCarryOurIdOverOneConnection() throws Exception {
    LoopbackPeer peer = peer(okFrom(2));
    watch(peer.url());
    awaitReused(peer);
    String expected =
        """
        POST /internal/heartbeat HTTP/1.1\r
        Host: localhost:%d\r
        Content-Type: application/json\r
        Content-Length: 13\r
        \r
        {"node_id":1}\
        """
            .formatted(peer.port());
    assertEquals(expected, peer.beats().get(0));
  }

  @Test
  void eachBeatShowsTheSecretOfTheMomentOverOneConnection() throws Exception {
    LoopbackPeer peer = peer(okFrom(2));
    AtomicInteger beats = new AtomicInteger();
    List<Optional<String>> secrets =
        List.of(Optional.of("one"), Optional.of("two"), Optional.empty());
    watch(() -> secrets.get(beats.getAndIncrement() % 3), peer.url());
    await(
        () ->
            peer.beatsByConnection().stream()
                .anyMatch(
                    shown ->
                        shown.stream().anyMatch(beat -> shows(beat, "one"))
                            && shown.stream().anyMatch(beat -> shows(beat, "two"))
                            && shown.stream().anyMatch(beat -> !beat.contains("Authorization"))));
  }

  private static boolean shows(String beat, String secret) {
    return beat.contains("\r\nAuthorization: Bearer " + secret + "\r\n");
  }

  @Test
  void aPeerThatAnswersIsAliveAndSaysWhoItIs() throws Exception {
    Peers peers = watch(peer(okFrom(2)).url());
    awaitState(peers, 0, PeerState.ALIVE);
    assertEquals(OptionalLong.of(2), peers.view().get(0).id());
    await(() -> !changes.isEmpty());
    assertEquals(PeerState.ALIVE, changes.get(0).to());
  }

  @Test
  void aPeerThatRefusesIsDeadUntilItComesAndAgainWhenItIsGone() throws Exception {
    int port = Ports.take();
    Peers peers = watch(URI.create("http://localhost:" + port));
    for (int ttl = 0; ttl < 2; ttl++) {
      assertEquals(PeerState.DEAD, peers.view().get(0).state());
      LoopbackPeer peer = new LoopbackPeer(port, okFrom(2));
      testResources.push(peer);
      awaitState(peers, 0, PeerState.ALIVE);
      peer.close();
      awaitState(peers, 0, PeerState.DEAD);
    }
    PeerState before = PeerState.DEAD;
    for (PeerStateChange change : changes) {
      assertEquals(before, change.from());
      before = change.to();
    }
  }

  @Test
  void itsOwnBeatBringsADeadPeerBackEvenIfItDoesNotAnswer() throws Exception {
    LoopbackPeer peer = peer(okFrom(2));
    Peers peers = watch(peer.url());
    awaitState(peers, 0, PeerState.ALIVE);
    peer.close();
    awaitState(peers, 0, PeerState.DEAD);
    peers.onHeartbeat(3);
    peers.onHeartbeat(2);
    awaitState(peers, 0, PeerState.ALIVE);
  }

  @Test
  void whatIsNoWholeSuccessIsNoSignOfLife() throws Exception {
    List<LoopbackPeer> wrong =
        peers(
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
            "200 OK\r\n\r\n",
            "\r\n\r\n",
            "-ERR unknown command 'POST'\r\n",
            "\u0000\u0001\u0002",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
            "HTTP/1.1 200 OK\r\nPensieve-Node-Id: 2\r\n",
            "HTTP/1.1 200 OK\r\n" + "a: b\r\n".repeat(100_000));
    Peers peers = watch(wrong.stream().map(LoopbackPeer::url).toArray(URI[]::new));
    await(() -> wrong.stream().allMatch(peer -> peer.beats().size() >= 3));
    assertEquals(List.of(), changes);
    for (PeerView view : peers.view()) {
      assertEquals(PeerState.DEAD, view.state());
      assertEquals(OptionalLong.empty(), view.lastHeardMillis());
    }
  }

  @Test
  void redirectsAreNotFollowed() throws Exception {
    LoopbackPeer target = peer(okFrom(2));
    LoopbackPeer redirecting =
        peer(
            bytes(
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: %s/internal/heartbeat\r\n"
                        .formatted(target.url())
                    + "Content-Length: 0\r\n\r\n"));
    watch(redirecting.url());
    await(() -> redirecting.beats().size() >= 3);
    assertEquals(List.of(), target.beats());
    assertEquals(List.of(), changes);
  }

  @Test
  void successesOfUncertainLengthCountAndEndTheConnection() throws Exception {
    List<LoopbackPeer> odd =
        peers(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore than it said",
            "HTTP/1.0 200 OK\r\n\r\nto the end",
            "HTTP/1.1 204 No Content\r\n\r\n");
    Peers peers = watch(odd.stream().map(LoopbackPeer::url).toArray(URI[]::new));
    for (int i = 0; i < odd.size(); i++) {
      awaitState(peers, i, PeerState.ALIVE);
      LoopbackPeer peer = odd.get(i);
      await(() -> peer.beats().size() >= 3);
      int beats = peer.beats().size();
      assertTrue(peer.connections() >= beats, "one connection a beat");
    }
  }

  @Test
  void aSeedNodeAnswersWithoutSayingWhoItIs() throws Exception {
    LoopbackPeer seed =
        peer(bytes("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}"));
    Peers peers = watch(seed.url());
    awaitState(peers, 0, PeerState.ALIVE);
    assertEquals(OptionalLong.empty(), peers.view().get(0).id());
    awaitReused(seed);
  }

  @Test
  void hungAndDrippingPeersDelayNobodyElsesBeats() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    LoopbackPeer good = peer(okFrom(2));
    // How many beats the good one had when each of theirs began.
    List<Integer> hungAt = new CopyOnWriteArrayList<>();
    List<Integer> drippingAt = new CopyOnWriteArrayList<>();
    LoopbackPeer hung =
        peer(
            out -> {
              hungAt.add(good.beats().size());
              over.await();
            });
    LoopbackPeer dripping =
        peer(
            out -> {
              drippingAt.add(good.beats().size());
              out.write("HTTP/1.1 200 OK\r\na: ".getBytes(UTF_8));
              while (!over.await(20, MILLISECONDS)) {
                out.write('x');
              }
            });
    Peers peers = watch(hung.url(), dripping.url(), good.url());
    // Given up and tried again: nor do they hold their own threads for ever. One after another, the
    // good one would have one beat for each of theirs.
    await(() -> goesOnBeside(hungAt) && goesOnBeside(drippingAt));
    over.countDown();
    awaitState(peers, 2, PeerState.ALIVE);
    assertEquals(PeerState.DEAD, peers.view().get(0).state());
    assertEquals(PeerState.DEAD, peers.view().get(1).state());
  }

  /**
   * Whether the good one had half as many beats more, in some time. It should have twice as many.
   */
  private static boolean goesOnBeside(List<Integer> beatsOfGood) {
    return IntStream.range(BEATS_BESIDE, beatsOfGood.size())
        .anyMatch(
            i -> beatsOfGood.get(i) - beatsOfGood.get(i - BEATS_BESIDE) >= BEATS_BESIDE * 3 / 2);
  }

  @Test
  void closingEndsABeatThatHangs() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    LoopbackPeer hung = peer(out -> over.await());
    Peers peers = watch(hung.url());
    await(() -> !hung.beats().isEmpty());
    peers.close();
    peers.close();
    assertEquals(List.of(), TestResources.threadsNamed("pensieve-"));
    over.countDown();
  }

  @Test
  void aListenerThatThrowsIsToldOfTheNextChange() throws Exception {
    Logger logger = Logger.getLogger(Peers.class.getName());
    logger.setLevel(Level.OFF);
    testResources.push(() -> logger.setLevel(null));
    LoopbackPeer peer = peer(okFrom(2));
    Peers peers =
        Peers.start(
            1,
            List.of(peer.url()),
            Optional::empty,
            new PeerTrust(),
            event -> {
              note(event);
              throw new IllegalStateException("thrown on purpose");
            });
    testResources.push(peers);
    awaitState(peers, 0, PeerState.ALIVE);
    peer.close();
    await(() -> changes.stream().anyMatch(change -> change.to() == PeerState.DEAD));
  }

  @Test
  void aListenerMayClose() throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    LoopbackPeer peer = peer(okFrom(2));
    Peers[] peers = new Peers[1];
    CountDownLatch started = new CountDownLatch(1);
    peers[0] =
        Peers.start(
            1,
            List.of(peer.url()),
            Optional::empty,
            new PeerTrust(),
            event -> {
              awaitQuietly(started);
              peers[0].close();
              closed.countDown();
            });
    testResources.push(peers[0]);
    started.countDown();
    await(() -> closed.getCount() == 0);
    await(() -> TestResources.threadsNamed("pensieve-").isEmpty());
  }

  @Test
  void noPeersAreFine() throws Exception {
    Peers peers = watch();
    peers.onHeartbeat(2);
    assertEquals(List.of(), peers.view());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://node2:7878",
        "node2:7878",
        "//node2:7878",
        "http:node2",
        "http://node2:0",
        "https://node2:65536",
        "http://me@node2:7878",
        "http://node2:7878/base",
        "http://node2:7878?a=b",
        "http://node2:7878#a",
      })
  void otherUrlsAreRefused(String url) {
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> watch(URI.create(url)));
    assertEquals(
        "peer " + url + " is not of the form http://host:port or https://host:port",
        refusal.getMessage());
  }

  @Test
  void aPeerThatIsThereTwiceIsRefused() {
    URI url = URI.create("http://node2:7878");
    assertThrows(IllegalArgumentException.class, () -> watch(url, url));
  }

  @Test
  void tooManyPeersAreRefused() {
    URI[] urls =
        IntStream.rangeClosed(1, Peers.PEERS_MAX + 1)
            .mapToObj(port -> URI.create("http://localhost:" + port))
            .toArray(URI[]::new);
    assertThrows(IllegalArgumentException.class, () -> watch(urls));
  }

  private LoopbackPeer peer(LoopbackPeer.Reply reply) throws IOException {
    return testResources.push(new LoopbackPeer(reply));
  }

  private List<LoopbackPeer> peers(String... answers) throws IOException {
    List<LoopbackPeer> peers = new ArrayList<>();
    for (String answer : answers) {
      peers.add(peer(bytes(answer)));
    }
    return peers;
  }

  private Peers watch(URI... urls) {
    return watch(Optional::empty, urls);
  }

  private Peers watch(Supplier<Optional<String>> secret, URI... urls) {
    return testResources.push(
        Peers.start(1, Arrays.asList(urls), secret, new PeerTrust(), this::note));
  }

  private void note(PeerEvent event) {
    if (event instanceof PeerStateChange change) {
      changes.add(change);
    }
  }

  /** Not that there is only one: on a busy machine a beat may time out, which ends it. */
  private static void awaitReused(LoopbackPeer peer) throws InterruptedException {
    await(() -> peer.beatsByConnection().stream().anyMatch(beats -> beats.size() >= 4));
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
  }

  private static void awaitState(Peers peers, int index, PeerState state) throws Exception {
    await(() -> peers.view().get(index).state() == state);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    TestResources.await(condition, () -> "waited in vain");
  }
}
