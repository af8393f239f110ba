package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Seed;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A simulated clock: node 1 watches nodes 2 and 3, whose names do not give them away. */
class PeerTableTest {
  private static final URI TWO = URI.create("http://localhost:8002");
  private static final URI THREE = URI.create("http://localhost:8003");

  private final PeerTable peers = new PeerTable(1, List.of(TWO, THREE));
  private final List<PeerStateChange> changes = new ArrayList<>();
  private final List<String> complaints = new ArrayList<>();
  private long nowMillis;

  @Test
  void aPeerNotHeardFromIsDeadFromTheStart() {
    assertEquals(PeerState.DEAD, two().state());
    passMillis(100_000);
    assertEquals(PeerState.DEAD, two().state());
    assertEquals(OptionalLong.empty(), two().lastHeardMillis());
    assertEquals(100_000, two().sinceMillis());
    assertEquals(100.0, two().phi());
    assertEquals(List.of(), changes);
  }

  @Test
  void aPeerThatAnswersIsAliveAndStaysSo() {
    answer();
    passMillis(50);
    assertEquals(List.of(firstTime(PeerState.DEAD, PeerState.ALIVE)), changes);
    answersForMillis(60_000);
    assertEquals(1, changes.size());
    assertEquals(PeerState.ALIVE, two().state());
    assertEquals(OptionalLong.of(2), two().id());
    assertEquals(OptionalLong.of(0), two().lastHeardMillis());
    assertEquals(60_000, two().sinceMillis());
    assertEquals(PeerState.DEAD, three().state());
  }

  @Test
  void silenceIsSuspectAndThenDeadAtTheComputedTimes() {
    answersForMillis(10_000);
    changes.clear();
    passMillis(500);
    assertEquals(List.of(), changes);
    passMillis(50); // 511 ms, seen at the next check
    assertEquals(List.of(change(PeerState.ALIVE, PeerState.SUSPECT, 550)), changes);
    changes.clear();
    passMillis(950);
    assertEquals(List.of(), changes);
    passMillis(50); // 1511 ms
    assertEquals(List.of(change(PeerState.SUSPECT, PeerState.DEAD, 1_550)), changes);
    assertTrue(two().phi() >= 8);
  }

  @Test
  void jitterWithinTheAcceptablePauseDoesNotConvict() {
    long seed = Seed.choose();
    Random random = new Random(seed);
    answer();
    passMillis(50);
    changes.clear();
    for (int i = 0; i < 20_000; i++) {
      boolean pause = random.nextInt(50) == 0;
      passMillis(pause ? 50 * (6 + random.nextInt(17)) : 50 * (3 + random.nextInt(5)));
      answer();
    }
    assertFalse(
        changes.stream().anyMatch(change -> change.to() == PeerState.DEAD),
        () -> "replay with -Dpensieve.seed=" + seed);
  }

  @Test
  void aLongPauseOfOurOwnConvictsNobody() {
    answersForMillis(10_000);
    changes.clear();
    sleepMillis(60_000);
    passMillis(200);
    answersForMillis(10_000);
    assertEquals(List.of(), changes);
  }

  @Test
  void answersReadAfterAPauseOfOurOwnCountFromNow() {
    answersForMillis(10_000);
    changes.clear();
    nowMillis += 60_000;
    answer(); // the threads that read answers may wake before the one that checks
    check();
    passMillis(500);
    assertEquals(List.of(), changes);
    passMillis(1_050);
    assertEquals(PeerState.DEAD, two().state());
  }

  @Test
  void aProcessThatPausesAgainAndAgainStillConvicts() {
    answersForMillis(10_000);
    for (int i = 0; i < 16; i++) {
      sleepMillis(400);
      passMillis(50);
    }
    assertEquals(PeerState.DEAD, two().state());
  }

  @Test
  void aPauseOfOurOwnIsNoSample() {
    answersForMillis(10_000);
    for (int i = 0; i < 100; i++) {
      sleepMillis(350);
      answersForMillis(250);
    }
    changes.clear();
    passMillis(1_550);
    assertEquals(PeerState.DEAD, two().state());
  }

  @Test
  void aHealedPartitionHealsTheViewAndTheRhythmIsAsBefore() {
    answersForMillis(10_000);
    passMillis(3_600_000);
    assertEquals(PeerState.DEAD, two().state());
    changes.clear();
    answer();
    passMillis(50);
    assertEquals(List.of(change(PeerState.DEAD, PeerState.ALIVE, 3_600_000)), changes);
    answersForMillis(1_000);
    passMillis(1_500);
    assertEquals(PeerState.SUSPECT, two().state());
    passMillis(50);
    assertEquals(PeerState.DEAD, two().state());
  }

  @Test
  void aBeatOfItsOwnBringsAPeerBack() {
    answersForMillis(10_000);
    passMillis(10_000);
    peers.onHeartbeat(2, now());
    passMillis(50);
    assertEquals(PeerState.ALIVE, two().state());
  }

  @Test
  void beatsBesideTheAnswersDoNotChangeTheRhythm() {
    for (int i = 0; i < 1_000; i++) {
      answer();
      passMillis(100);
      peers.onHeartbeat(2, now());
      passMillis(150);
    }
    answer();
    check();
    passMillis(500);
    assertEquals(PeerState.ALIVE, two().state());
    passMillis(1_000);
    assertEquals(PeerState.SUSPECT, two().state());
    passMillis(50);
    assertEquals(PeerState.DEAD, two().state());
  }

  @Test
  void beatsAloneKeepAPeerAlive() {
    answer();
    passMillis(50);
    changes.clear();
    for (int i = 0; i < 100; i++) {
      peers.onHeartbeat(2, now());
      passMillis(250);
    }
    assertEquals(List.of(), changes);
  }

  @Test
  void beatsOfNobodyKnownAreIgnored() {
    peers.onHeartbeat(2, now());
    peers.onHeartbeat(-7, now());
    passMillis(50);
    assertEquals(PeerState.DEAD, two().state());
  }

  @Test
  void beatsOfAnIdThatTwoPeersHaveAreIgnored() {
    peers.peers().get(0).onResponse(OptionalLong.of(7), now());
    peers.peers().get(1).onResponse(OptionalLong.of(7), now());
    passMillis(5_000);
    peers.onHeartbeat(7, now());
    passMillis(50);
    assertEquals(PeerState.DEAD, two().state());
    assertEquals(PeerState.DEAD, three().state());
  }

  @Test
  void beatsWithOurOwnIdAreIgnored() {
    peers.peers().get(0).onResponse(OptionalLong.of(1), now());
    passMillis(5_000);
    peers.onHeartbeat(1, now());
    passMillis(50);
    assertEquals(PeerState.DEAD, two().state());
  }

  @Test
  void thePeersOfASeedNodeAreKnownByTheirNames() {
    PeerTable named = new PeerTable(1, List.of(URI.create("http://node2:7878"), TWO));
    named.onHeartbeat(2, MILLISECONDS.toNanos(10));
    named.check(MILLISECONDS.toNanos(50));
    assertEquals(PeerState.ALIVE, named.view().get(0).state());
    assertEquals(OptionalLong.of(2), named.view().get(0).id());
    assertEquals(PeerState.DEAD, named.view().get(1).state());
  }

  @Test
  void theAnswerKnowsBetterThanTheName() {
    PeerTable named = new PeerTable(1, List.of(URI.create("http://node2:7878")));
    named.peers().get(0).onResponse(OptionalLong.of(9), 0);
    named.peers().get(0).onResponse(OptionalLong.empty(), 0);
    named.check(MILLISECONDS.toNanos(50));
    assertEquals(OptionalLong.of(9), named.view().get(0).id());
  }

  @Test
  void numbersAreReadFromNamesAndNotFromAddresses() {
    assertEquals(OptionalLong.of(2), Peer.numberOf("node2"));
    assertEquals(OptionalLong.of(12), Peer.numberOf("pensieve-12.pensieve.example7"));
    assertEquals(OptionalLong.of(3), Peer.numberOf("ec2-node3"));
    for (String none : List.of("localhost", "10.0.0.2", "[fe80::2]", "7", "node2b", "node2.")) {
      OptionalLong expected = none.equals("node2.") ? OptionalLong.of(2) : OptionalLong.empty();
      assertEquals(expected, Peer.numberOf(none), none);
    }
  }

  @Test
  void aDeathIsToldWithItsReasonAndTheReasonNotTwice() {
    answersForMillis(10_000);
    changes.clear();
    failuresForMillis("refused", 10_000);
    assertEquals(
        List.of(
            change(PeerState.ALIVE, PeerState.SUSPECT, 550, Optional.of("refused")),
            change(PeerState.SUSPECT, PeerState.DEAD, 1_550, Optional.of("refused"))),
        changes);
    assertEquals(List.of(), complaints);
    failuresForMillis("expired", 10_000);
    assertEquals(List.of("expired"), complaints);
  }

  @Test
  void aPeerThatIsDeadFromTheStartIsComplainedOfOnceForEachReason() {
    failuresForMillis("refused", 750);
    assertEquals(List.of(), complaints);
    failuresForMillis("refused", 10_000);
    failuresForMillis("expired", 10_000);
    failuresForMillis("refused", 10_000);
    assertEquals(List.of("refused", "expired"), complaints);
    assertEquals(List.of(), changes);
  }

  @Test
  void aPeerThatIsAliveByItsOwnBeatsIsComplainedOfIfItDoesNotAnswer() {
    answersForMillis(1_000);
    for (int i = 0; i < 20; i++) {
      peers.onHeartbeat(2, now());
      failuresForMillis("expired", 250);
    }
    assertEquals(PeerState.ALIVE, two().state());
    assertEquals(List.of("expired"), complaints);
  }

  @Test
  void afterAnAnswerReasonsAreToldAgainAndSingleFailuresNever() {
    failuresForMillis("refused", 10_000);
    answersForMillis(1_000);
    for (int i = 0; i < 10; i++) {
      failuresForMillis("late", 750);
      answersForMillis(1_000);
    }
    assertEquals(List.of("refused"), complaints);
    for (int i = 0; i < 4; i++) {
      failuresForMillis("refused", 250);
      peers.onHeartbeat(2, now());
    }
    assertEquals(List.of("refused", "refused"), complaints);
  }

  @Test
  void everNewReasonsDoNotFillTheLog() {
    for (int i = 0; i < 1_000; i++) {
      failuresForMillis("reason " + i, 250);
    }
    assertEquals(Peer.REASONS_TOLD_MAX, complaints.size());
  }

  private PeerView two() {
    return peers.view().get(0);
  }

  private PeerView three() {
    return peers.view().get(1);
  }

  private long now() {
    return MILLISECONDS.toNanos(nowMillis);
  }

  private void answer() {
    peers.peers().get(0).onResponse(OptionalLong.of(2), now());
  }

  /** Ends with an answer, just taken in. */
  private void answersForMillis(long millis) {
    for (long until = nowMillis + millis; nowMillis < until; ) {
      passMillis(200);
      nowMillis += 50;
      answer();
      check();
    }
  }

  private void failuresForMillis(String reason, long millis) {
    for (long until = nowMillis + millis; nowMillis < until; ) {
      passMillis(250);
      peers.peers().get(0).onNoResponse(reason);
    }
    check();
  }

  private void passMillis(long millis) {
    for (long until = nowMillis + millis; nowMillis < until; ) {
      nowMillis += 50;
      check();
    }
  }

  private void sleepMillis(long millis) {
    nowMillis += millis;
    check();
  }

  private void check() {
    for (PeerEvent event : peers.check(now())) {
      if (event instanceof PeerStateChange change) {
        changes.add(change);
      } else {
        complaints.add(((PeerUnresponsive) event).reason());
      }
    }
  }

  private static PeerStateChange firstTime(PeerState from, PeerState to) {
    return new PeerStateChange(
        TWO, OptionalLong.of(2), from, to, OptionalLong.empty(), Optional.empty());
  }

  private static PeerStateChange change(PeerState from, PeerState to, long silentMillis) {
    return change(from, to, silentMillis, Optional.empty());
  }

  private static PeerStateChange change(
      PeerState from, PeerState to, long silentMillis, Optional<String> reason) {
    return new PeerStateChange(
        TWO, OptionalLong.of(2), from, to, OptionalLong.of(silentMillis), reason);
  }
}
