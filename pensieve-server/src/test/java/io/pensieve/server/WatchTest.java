package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.peers.PeerChange;
import io.pensieve.server.peers.PeerState;
import java.net.URI;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What is told when a peer's state changes. */
class WatchTest {
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

  private static void assertTold(
      String expected, OptionalLong id, PeerState from, PeerState to, OptionalLong silentMillis) {
    String line = Watch.line(new PeerChange(URL, id, from, to, silentMillis));
    assertTrue(line.endsWith(" " + expected), line);
  }
}
