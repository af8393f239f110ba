package io.pensieve.server.linearizability;

import static io.pensieve.server.linearizability.Operation.NEVER;
import static io.pensieve.server.linearizability.Request.ABSENT;
import static io.pensieve.server.linearizability.Request.ANY_VERSION;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Histories that are good, and histories that are bad, each for one reason. */
final class LinearizabilityCheckerTest {
  private static final Answer UNKNOWN = new Answer.Unknown();

  private static Operation at(long invoked, long completed, Request request, Answer answer) {
    return new Operation("client", request, answer, invoked, completed);
  }

  private static Operation created(long invoked, long completed, String value, long version) {
    return at(invoked, completed, put(value), new Answer.Written(version, true));
  }

  private static Operation replaced(long invoked, long completed, String value, long version) {
    return at(invoked, completed, put(value), new Answer.Written(version, false));
  }

  private static Operation maybe(long invoked, Request request) {
    return at(invoked, NEVER, request, UNKNOWN);
  }

  private static Operation found(long invoked, long completed, String value, long version) {
    return at(invoked, completed, new Request.Get(), new Answer.Found(value, version));
  }

  private static Operation missing(long invoked, long completed) {
    return at(invoked, completed, new Request.Get(), new Answer.Missing());
  }

  private static Operation removed(long invoked, long completed) {
    return at(invoked, completed, new Request.Delete(ANY_VERSION), new Answer.Removed());
  }

  private static Operation sum(long invoked, long completed, long by, long sum, long version) {
    return at(invoked, completed, new Request.Increment(by), new Answer.Sum(sum, version));
  }

  private static Request.Put put(String value) {
    return new Request.Put(value, ANY_VERSION, 0);
  }

  private static Optional<Violation> check(Operation... history) {
    return LinearizabilityChecker.check(List.of(history), Duration.ZERO);
  }

  private static void assertGood(Operation... history) {
    assertEquals(Optional.empty(), check(history));
  }

  /** Fails unless the history is bad, and becomes so with its operation of this number. */
  private static void assertBadAt(int number, Operation... history) {
    Optional<Violation> violation = check(history);
    assertEquals(Optional.of(history[number]), violation.map(Violation::last));
  }

  @Test
  void aReadBesideAWriteSeesTheOldOrTheNewValue() {
    assertGood(created(0, 1, "a", 1), replaced(2, 9, "b", 2), found(3, 4, "a", 1));
    assertGood(created(0, 1, "a", 1), replaced(2, 9, "b", 2), found(3, 4, "b", 2));
    assertGood(
        created(0, 1, "a", 1), replaced(2, 9, "b", 2), found(3, 4, "a", 1), found(5, 6, "b", 2));
  }

  @Test
  void operationsThatTouchAtOneMomentMayHaveOverlapped() {
    assertGood(created(1, 2, "a", 1), missing(2, 3));
  }

  @Test
  void aLostUpdateIsBad() {
    assertBadAt(1, created(0, 1, "a", 1), missing(2, 3));
    assertBadAt(2, created(0, 1, "a", 1), replaced(2, 3, "b", 2), found(4, 5, "a", 1));
    assertBadAt(2, sum(0, 1, 1, 1, 1), sum(2, 3, 1, 2, 2), sum(4, 5, 1, 2, 3));
  }

  @Test
  void aStaleReadIsBad() {
    assertBadAt(
        3, created(0, 1, "a", 1), replaced(2, 9, "b", 2), found(3, 4, "b", 2), found(5, 6, "a", 1));
  }

  @Test
  void aReadOfAWriteThatWasRefusedIsBad() {
    // The refused one is in no history: nobody can have read it.
    assertBadAt(1, created(0, 1, "a", 1), found(2, 3, "refused", 2));
  }

  @Test
  void aReadBeforeTheWriteBeganIsBad() {
    assertBadAt(0, found(0, 1, "a", 1), created(2, 3, "a", 1));
  }

  @Test
  void aValueThatComesBackIsBad() {
    assertBadAt(2, created(0, 1, "a", 1), removed(2, 3), found(4, 5, "a", 1));
    Operation maybe = maybe(2, put("b"));
    assertBadAt(
        4,
        created(0, 1, "a", 1),
        maybe,
        found(3, 4, "b", 2),
        replaced(5, 6, "c", 3),
        found(7, 8, "b", 2));
  }

  @Test
  void aVersionThatGoesBackOrIsGivenTwiceIsBad() {
    assertBadAt(1, created(0, 1, "a", 2), replaced(2, 3, "b", 1));
    assertBadAt(1, created(0, 1, "a", 2), replaced(2, 3, "b", 2));
    assertBadAt(2, created(0, 1, "a", 2), removed(2, 3), created(4, 5, "b", 1));
    assertBadAt(1, created(0, 1, "a", 2), found(2, 3, "a", 1));
  }

  @Test
  void aKeyIsNewOnce() {
    assertBadAt(1, created(0, 9, "a", 1), created(0, 10, "b", 2));
    assertGood(created(0, 9, "a", 1), removed(1, 8), created(0, 10, "b", 2));
    assertBadAt(0, replaced(0, 1, "a", 1));
  }

  @Test
  void aConditionHoldsWhenTheWriteTakesEffect() {
    Request onlyIfFirst = new Request.Put("c", 1, 0);
    Operation late = at(4, 5, onlyIfFirst, new Answer.Written(3, false));
    assertBadAt(2, created(0, 1, "a", 1), replaced(2, 3, "b", 2), late);
    assertGood(
        created(0, 1, "a", 1),
        replaced(2, 3, "b", 2),
        at(4, 5, onlyIfFirst, new Answer.ConditionFailed(2)));
    assertBadAt(1, created(0, 1, "a", 1), at(4, 5, onlyIfFirst, new Answer.ConditionFailed(2)));
    Request onlyIfAbsent = new Request.Put("c", ABSENT, 0);
    assertGood(created(0, 1, "a", 1), at(2, 3, onlyIfAbsent, new Answer.ConditionFailed(1)));
    assertBadAt(1, created(0, 1, "a", 1), at(2, 3, onlyIfAbsent, new Answer.Written(2, true)));
    assertBadAt(0, at(2, 3, onlyIfAbsent, new Answer.ConditionFailed(0)));
  }

  @Test
  void ofTwoConditionalWritesOnTheSameVersionOneFails() {
    Operation first = created(0, 1, "a", 1);
    Operation one = at(2, 5, new Request.Put("b", 1, 0), new Answer.Written(2, false));
    Operation other = at(2, 6, new Request.Put("c", 1, 0), new Answer.Written(3, false));
    assertBadAt(2, first, one, other);
    assertGood(first, one, at(2, 6, new Request.Put("c", 1, 0), new Answer.ConditionFailed(2)));
  }

  @Test
  void aConditionalRemovalAndACheckNameTheirVersion() {
    Operation first = created(0, 1, "a", 1);
    assertGood(first, at(2, 3, new Request.Delete(1), new Answer.Removed()), missing(4, 5));
    assertBadAt(1, first, at(2, 3, new Request.Delete(7), new Answer.Removed()));
    assertGood(first, at(2, 3, new Request.Check(1), new Answer.Holds()));
    assertBadAt(1, first, at(2, 3, new Request.Check(2), new Answer.Holds()));
    assertGood(first, at(2, 3, new Request.Check(2), new Answer.ConditionFailed(1)));
  }

  @Test
  void incrementsAddUp() {
    assertGood(sum(0, 9, 1, 2, 2), sum(0, 9, 1, 1, 1), found(10, 11, "2", 2));
    assertBadAt(1, sum(0, 9, 1, 1, 1), sum(0, 10, 1, 1, 2));
    assertGood(
        created(0, 1, "word", 1), at(2, 3, new Request.Increment(1), new Answer.NotANumber()));
    assertBadAt(
        1, created(0, 1, "5", 1), at(2, 3, new Request.Increment(1), new Answer.NotANumber()));
    assertGood(created(0, 1, "5", 1), sum(2, 3, 2, 7, 2), removed(4, 5), sum(6, 7, 2, 2, 3));
  }

  @Test
  void anUnknownOutcomeIsDoneOnceAtAnyLaterTimeOrNever() {
    Operation first = created(0, 1, "a", 1);
    Operation maybe = maybe(2, put("b"));
    assertGood(first, maybe, found(3, 4, "a", 1), found(100, 101, "a", 1));
    assertGood(first, maybe, found(3, 4, "a", 1), found(100, 101, "b", 2));
    assertGood(first, maybe, replaced(10, 11, "c", 2), found(100, 101, "b", 3));
    assertBadAt(3, first, maybe, found(3, 4, "b", 2), found(100, 101, "a", 1));
    assertBadAt(4, first, maybe, found(3, 4, "b", 2), removed(5, 6), found(7, 8, "b", 3));
    assertBadAt(1, first, found(0, 1, "b", 2), maybe);
  }

  @Test
  void anUnknownOutcomeThatNobodyReadMayStillExplainAnAnswer() {
    assertGood(maybe(0, put("a")), replaced(1, 2, "b", 7), maybe(3, put("c")));
    assertGood(
        created(0, 1, "a", 1),
        maybe(2, new Request.Delete(ANY_VERSION)),
        missing(3, 4),
        created(5, 6, "b", 2));
    assertBadAt(
        3,
        created(0, 1, "a", 1),
        maybe(2, new Request.Delete(ANY_VERSION)),
        missing(3, 4),
        found(5, 6, "a", 1));
    assertGood(
        created(0, 1, "a", 1),
        maybe(2, put("b")),
        at(3, 4, new Request.Put("c", 1, 0), new Answer.ConditionFailed(2)),
        at(5, 6, new Request.Put("d", 2, 0), new Answer.Written(3, false)));
    assertBadAt(
        1,
        created(0, 1, "a", 1),
        at(3, 4, new Request.Put("c", 1, 0), new Answer.ConditionFailed(1)),
        maybe(2, put("b")));
  }

  @Test
  void incrementsOfUnknownOutcomeCountOnceEach() {
    Operation one = maybe(0, new Request.Increment(1));
    Operation two = maybe(0, new Request.Increment(1));
    assertGood(one, two, sum(1, 2, 1, 3, 9));
    assertGood(one, two, sum(1, 2, 1, 2, 9), sum(3, 4, 1, 4, 10));
    assertBadAt(2, one, two, sum(1, 2, 1, 4, 9));
    assertGood(one, maybe(0, new Request.Increment(5)), found(1, 2, "5", 3), found(3, 4, "6", 4));
    assertBadAt(
        3, one, maybe(0, new Request.Increment(5)), found(1, 2, "5", 3), found(3, 4, "10", 4));
  }

  @Test
  void anEntryExpiresInItsTimeOnce() {
    Request shortLived = new Request.Put("a", ANY_VERSION, 100);
    Operation put = at(0, 10, shortLived, new Answer.Written(1, true));
    assertGood(put, found(90, 95, "a", 1), missing(120, 121), created(130, 131, "b", 2));
    assertGood(put, found(105, 106, "a", 1), missing(107, 108));
    assertGood(put, created(130, 131, "b", 2));
    assertBadAt(1, put, missing(90, 95));
    assertBadAt(1, put, found(111, 112, "a", 1));
    assertBadAt(2, put, missing(105, 106), found(107, 108, "a", 1));
    assertBadAt(1, put, replaced(130, 131, "b", 2));
    assertBadAt(2, put, replaced(50, 51, "b", 2), missing(130, 131));
  }

  @Test
  void anIncrementKeepsTheExpiry() {
    Operation put = at(0, 10, new Request.Put("5", ANY_VERSION, 100), new Answer.Written(1, true));
    assertGood(put, sum(20, 21, 1, 6, 2), missing(120, 121), sum(130, 131, 1, 1, 3));
    assertBadAt(2, put, sum(20, 21, 1, 6, 2), found(120, 121, "6", 2));
    assertBadAt(1, put, sum(120, 121, 1, 6, 2));
  }

  @Test
  void theClockMayErrByAsMuchAsIsSaid() {
    Operation put = at(0, 10, new Request.Put("5", ANY_VERSION, 100), new Answer.Written(1, true));
    List<Operation> early = List.of(put, missing(80, 95));
    assertTrue(LinearizabilityChecker.check(early, Duration.ofNanos(4)).isPresent());
    assertEquals(Optional.empty(), LinearizabilityChecker.check(early, Duration.ofNanos(5)));
  }

  @Test
  void anOperationIsRefusedThatCompletesWithoutAnOutcomeOrBeforeItBegins() {
    assertThrows(IllegalArgumentException.class, () -> at(0, 1, new Request.Get(), UNKNOWN));
    assertThrows(IllegalArgumentException.class, () -> missing(2, 1));
  }

  @Test
  void aViolationSaysInWordsWhatCannotBe() {
    String words =
        check(
                created(0, 1_000_000, "a", 1),
                replaced(2_000_000, 9_000_000, "b", 2),
                maybe(2_500_000, new Request.Delete(1)),
                found(3_000_000, 4_000_000, "b", 2),
                found(5_000_000, 6_000_000, "a", 1))
            .orElseThrow()
            .toString();
    assertEquals(
        """
        no order of the first 3 operations explains the last of them:
          [0.005000 s, 0.006000 s] client: GET -> "a" version 1
        when the one before it completed, the key could hold:
          "b" version 2
        under way, or of unknown outcome:
          [0.002000 s, 0.009000 s] client: PUT "b" -> replaced, version 2
          [0.002500 s, ) client: DELETE if version 1 -> outcome unknown
        completed before, the latest ones:
          [0.000000 s, 0.001000 s] client: PUT "a" -> created, version 1
          [0.003000 s, 0.004000 s] client: GET -> "b" version 2
        """,
        words);
  }

  @Test
  void manyUnknownOutcomesDoNotExhaustTheSearch() {
    List<Operation> history = new ArrayList<>();
    history.add(created(0, 1, "first", 1));
    for (int i = 0; i < 60; i++) {
      long time = 10L * i + 2;
      history.add(maybe(time, put("maybe " + i)));
      history.add(maybe(time, new Request.Delete(ANY_VERSION)));
      history.add(at(time, time + 5, new Request.Get(), new Answer.Found("first", 1)));
    }
    assertEquals(Optional.empty(), LinearizabilityChecker.check(history, Duration.ZERO));
    history.add(found(1000, 1001, "nobody wrote this", 5));
    assertTrue(LinearizabilityChecker.check(history, Duration.ZERO).isPresent());
  }
}
