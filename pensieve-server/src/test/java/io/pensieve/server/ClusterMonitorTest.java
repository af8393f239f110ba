package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.peers.PeerEvent;
import io.pensieve.server.peers.PeerState;
import io.pensieve.server.peers.PeerStateChange;
import io.pensieve.server.peers.PeerUnresponsive;
import java.net.URI;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What is told when a peer's state changes. */
class ClusterMonitorTest {
  private static final URI URL = URI.create("http://127.0.0.1:8002");

  @Test
  void aDeathIsToldWithTheSilenceThatConvicted() {
    assertTold(
        "peer http://127.0.0.1:8002 (node 2): suspect -> dead, silent for 1511 ms",
        OptionalLong.of(2),
        PeerState.SUSPECT,
        PeerState.DEAD,
        OptionalLong.of(1511));
  }

  @Test
  void aReturnIsToldWithHowLongThePeerWasGone() {
    assertTold(
        "peer http://127.0.0.1:8002 (node 2): dead -> alive, after silence of 60000 ms",
        OptionalLong.of(2),
        PeerState.DEAD,
        PeerState.ALIVE,
        OptionalLong.of(60_000));
  }

  @Test
  void aPeerThatIsHeardForTheFirstTimeHasNoSilence() {
    assertTold(
        "peer http://127.0.0.1:8002: dead -> alive, heard for the first time",
        OptionalLong.empty(),
        PeerState.DEAD,
        PeerState.ALIVE,
        OptionalLong.empty());
  }

  @Test
  void theReasonIsToldIfItIsKnown() {
    PeerStateChange change =
        new PeerStateChange(
            URL,
            OptionalLong.empty(),
            PeerState.ALIVE,
            PeerState.SUSPECT,
            OptionalLong.of(550),
            Optional.of("no answer in time"));
    assertEnds(
        "peer http://127.0.0.1:8002: alive -> suspect, silent for 550 ms: no answer in time",
        change);
    assertEnds(
        "peer http://127.0.0.1:8002 (node 2): does not answer: Connection refused",
        new PeerUnresponsive(URL, OptionalLong.of(2), "Connection refused"));
  }

  private static void assertTold(
      String expected, OptionalLong id, PeerState from, PeerState to, OptionalLong silentMillis) {
    assertEnds(expected, new PeerStateChange(URL, id, from, to, silentMillis, Optional.empty()));
  }

  private static void assertEnds(String expected, PeerEvent event) {
    String line = ClusterMonitor.line(event);
    assertTrue(line.endsWith(" " + expected), line);
  }
}
