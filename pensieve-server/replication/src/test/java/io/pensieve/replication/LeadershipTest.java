package io.pensieve.replication;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import io.pensieve.replication.format.EntryHeader;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class LeadershipTest {
  private static final long BEGIN = 100;

  private long nanos;
  private final RaftSettings settings =
      new RaftSettings(
          2,
          3,
          1_000,
          10_000,
          1_000,
          10,
          500,
          16,
          1_000,
          10,
          1_000,
          Duration.ofHours(1),
          10,
          Duration.ofMinutes(1),
          cause -> {},
          event -> {},
          time -> {},
          InstantSource.system(),
          () -> nanos);
  private final Leadership<String, String> leadership =
      new Leadership<>(settings, new RequestOutcomes<>(settings));

  private static UncommittedUpdate<String, String> update(int changes, int bytes, boolean isPut) {
    List<Change<String, String>> all = new ArrayList<>();
    for (int i = 0; i < changes; i++) {
      all.add(isPut ? new Change.Put<>("k", "v") : new Change.Remove<>("k"));
    }
    return new UncommittedUpdate<>(
        all, new ArrayList<>(Collections.nCopies(changes, null)), List.of(), bytes, null);
  }

  private long put() {
    return leadership.add(update(1, 10, true));
  }

  private EntryHeader next() {
    return requireNonNull(leadership.nextProposal()).header();
  }

  private void lead() {
    leadership.elected(7);
    EntryHeader begin = next();
    assertTrue(begin.isBegin());
    assertTrue(leadership.isAwaited(begin));
    assertTrue(leadership.lead(BEGIN));
  }

  @Test
  void takesNoUpdatesBeforeItsBeginIsApplied() {
    assertThrows(LogException.ReadOnly.class, this::put);
    leadership.elected(7);
    assertThrows(LogException.ReadOnly.class, this::put);
    EntryHeader begin = next();
    assertThrows(LogException.ReadOnly.class, this::put);
    assertFalse(leadership.isAwaited(new EntryHeader(true, 7, begin.nonce() + 1, 0, 0)));
    assertFalse(leadership.isAwaited(new EntryHeader(true, 6, begin.nonce(), 0, 0)));
    assertTrue(leadership.lead(BEGIN));
    assertEquals(BEGIN + 1, put());
  }

  @Test
  void packsWhatWaitsAndSplitsNoUpdate() {
    lead();
    put();
    put();
    leadership.add(update(2, 10, true));
    leadership.add(update(5, 10, true));
    put();
    assertEquals(new EntryHeader(false, 7, 0, BEGIN, 2), next());
    EntryHeader second = next();
    assertEquals(new EntryHeader(false, 7, 0, BEGIN + 2, 2), second);
    assertNull(leadership.nextProposal(), "two are under way");
    requireNonNull(leadership.committed(new EntryHeader(false, 7, 0, BEGIN, 2)));
    assertEquals(new EntryHeader(false, 7, 0, BEGIN + 4, 5), next(), "more than three, alone");
    assertNull(leadership.committed(new EntryHeader(false, 7, 0, BEGIN + 4, 5)), "not the first");
    requireNonNull(leadership.committed(second));
    assertEquals(6, leadership.waitingChanges());
  }

  @Test
  void anEntryGoesOnceItIsWorthIt() {
    lead();
    put();
    EntryHeader first = next();
    assertEquals(1, first.count(), "nothing is under way, so a lone one goes at once");
    put();
    put();
    EntryHeader second = next();
    assertEquals(2, second.count(), "as many as are under way");
    requireNonNull(leadership.committed(first));
    put();
    assertNull(leadership.nextProposal(), "fewer than are under way");
    put();
    assertEquals(2, next().count());
    requireNonNull(leadership.committed(second));
  }

  @Test
  void theOtherMembersLearnOfTheLastCommitWithAnEmptyEntry() {
    lead();
    nanos += 1_000_000_000;
    EntryHeader ofTheBegin = next();
    assertEquals(new EntryHeader(false, 7, 0, BEGIN, 0), ofTheBegin);
    requireNonNull(leadership.committed(ofTheBegin));
    put();
    EntryHeader change = next();
    nanos += 1_000_000_000;
    assertNull(leadership.nextProposal(), "nothing new is committed");
    requireNonNull(leadership.committed(change));
    assertNull(leadership.nextProposal(), "a change may come soon, and tell it");
    nanos += 1_000_000_000;
    EntryHeader announcement = next();
    assertEquals(new EntryHeader(false, 7, 0, BEGIN + 1, 0), announcement);
    requireNonNull(leadership.committed(announcement));
    nanos += 1_000_000_000;
    assertNull(leadership.nextProposal(), "an announcement needs none");
    assertEquals(BEGIN + 2, put());
    assertEquals(1, next().count());
  }

  @Test
  void movesOnWithAnEmptyEntryWhenItIsTold() {
    leadership.moveOn();
    nanos += 1_000_000_000;
    assertNull(leadership.nextProposal(), "it does not lead");
    lead();
    nanos += 1_000_000_000;
    requireNonNull(leadership.committed(next()));
    nanos += 1_000_000_000;
    assertNull(leadership.nextProposal());
    leadership.moveOn();
    nanos += 1_000_000_000;
    assertEquals(0, next().count());
  }

  @Test
  void refusesWhatIsTooMuchAndRemovalsLater() {
    lead();
    for (int i = 0; i < 10; i++) {
      put();
    }
    assertThrows(LogException.Overloaded.class, this::put);
    for (int i = 0; i < 10; i++) {
      leadership.add(update(1, 1, false));
    }
    assertThrows(LogException.Overloaded.class, () -> leadership.add(update(1, 1, false)));
    assertEquals(20, leadership.waitingChanges());
    leadership.lose(true);
    assertEquals(0, leadership.waitingChanges());
    assertEquals(0, leadership.waitingBytes());
  }

  @Test
  void aSingleLargeUpdateIsTakenIfNothingWaits() {
    lead();
    leadership.add(update(1, 5_000, true));
    assertThrows(LogException.Overloaded.class, this::put);
  }

  @Test
  void aFailedProposalBeginsANewLeadAndKeepsWhatMayBeCommitted() {
    lead();
    put();
    ProposedEntry<String, String> entry = requireNonNull(leadership.nextProposal());
    put();
    leadership.proposalFailed(entry);
    assertThrows(LogException.ReadOnly.class, this::put);
    assertNull(leadership.nextProposal(), "it waits a moment");
    nanos += 1_000_000_000;
    EntryHeader begin = next();
    assertTrue(begin.isBegin());
    requireNonNull(leadership.committed(entry.header()), "it was committed nevertheless");
    assertTrue(leadership.isAwaited(begin));
    Leadership.Lost<String, String> lost = leadership.lose(true);
    assertEquals(BEGIN + 1, lost.after());
    assertEquals(BEGIN + 2, lost.last());
    assertEquals(1, lost.updates().size());
    assertTrue(leadership.lead(2 * BEGIN));
    assertEquals(2 * BEGIN + 1, put());
  }

  @Test
  void anEntryThatDoesNotCountBeginsANewLead() {
    lead();
    put();
    put();
    put();
    EntryHeader first = next();
    put();
    put();
    put();
    EntryHeader second = next();
    leadership.skipped(new EntryHeader(false, 6, 0, 50, 1));
    put();
    leadership.skipped(second);
    assertThrows(LogException.ReadOnly.class, this::put);
    nanos += 1_000_000_000;
    assertTrue(next().isBegin());
    requireNonNull(leadership.committed(first));
  }

  @Test
  void aBeginOfAnotherTimeEndsTheLead() {
    lead();
    put();
    leadership.lose(true);
    assertThrows(LogException.ReadOnly.class, this::put);
    EntryHeader begin = next();
    assertTrue(begin.isBegin());
    leadership.proposalFailed(new ProposedEntry<>(begin, List.of(), List.of(), 0));
    nanos += 1_000_000_000;
    assertNotEquals(begin, next());
    leadership.lose(false);
    assertNull(leadership.nextProposal(), "the engine has another leader");
  }

  @Test
  void afterTheEndEverythingIsRefused() {
    lead();
    put();
    leadership.end(() -> new IllegalStateException("closed"));
    assertThrows(IllegalStateException.class, this::put);
    leadership.elected(9);
    assertNull(leadership.nextProposal());
    assertFalse(leadership.lead(BEGIN));
    assertFalse(leadership.isLeading());
  }
}
