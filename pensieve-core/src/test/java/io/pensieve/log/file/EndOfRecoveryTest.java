package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.log.file.EndOfRecovery.Step;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a log goes on from what recovery found: the plan alone, without a disk. */
class EndOfRecoveryTest {
  private static final long SALT = 7;
  private static final long OLD_SALT = 5;
  private static final Path NEWEST = Path.of("newest");

  private static EndOfRecovery.Plan plan(RecoveredState found, boolean hasRing) {
    return EndOfRecovery.plan(found, hasRing, end -> end + 800, SALT);
  }

  private static RecoveredState.NewestSegment newest(long first, long previousEnd) {
    return new RecoveredState.NewestSegment(
        NEWEST, FileHeader.segment(first, previousEnd, OLD_SALT));
  }

  private static long offset(long position) {
    return FileHeader.BYTES + position;
  }

  @Test
  void aNewLogHasItsRingBeforeItsSegment() {
    EndOfRecovery.Plan plan = plan(RecoveredState.emptyLog(), false);
    long start = plan.start().firstPosition();
    assertEquals(
        List.of(
            new Step.ForceFolder(),
            new Step.DeleteLeftovers(0),
            new Step.CreateRing(start, SALT),
            new Step.CreateSegment(FileHeader.segment(start, 0, SALT))),
        plan.steps());
  }

  @Test
  void aTornTailIsKeptAndWhatIsNotForcedIsCopiedBeforeTheRingIsReplaced() {
    UnforcedFrames ring = new UnforcedFrames(800, 960, List.of());
    RecoveredState found = new RecoveredState(960, false, 400, newest(0, 0), ring, 0, 64);
    EndOfRecovery.Plan plan = plan(found, true);
    assertEquals(
        List.of(
            new Step.ForceFolder(),
            new Step.DeleteLeftovers(0),
            new Step.KeepTornTail(NEWEST, offset(960), 64),
            new Step.CopyUnforced(
                NEWEST, offset(400), 400, ring, FileHeader.segment(400, 400, OLD_SALT)),
            new Step.CreateSegment(plan.start()),
            new Step.CreateRing(plan.start().firstPosition(), SALT),
            new Step.TrimSegment(NEWEST, offset(400))),
        plan.steps());
    assertEquals(960, plan.start().previousEnd());
  }

  @Test
  void aSegmentOfWhichNothingIsForcedIsReplacedByItsCopy() {
    RecoveredState found =
        new RecoveredState(800, false, 400, newest(400, 320), UnforcedFrames.none(800), 0, 0);
    List<Step> steps = plan(found, true).steps();
    assertEquals(
        new Step.CopyUnforced(
            NEWEST,
            FileHeader.BYTES,
            400,
            UnforcedFrames.none(800),
            FileHeader.segment(400, 320, OLD_SALT)),
        steps.get(2));
    assertEquals(5, steps.size(), () -> steps + ": the old segment has gone already");
  }

  @Test
  void aSegmentClosedWithoutAChangeIsDeletedAndItsPredecessorFollowed() {
    RecoveredState found =
        new RecoveredState(400, true, 400, newest(400, 320), UnforcedFrames.none(400), 0, 0);
    EndOfRecovery.Plan plan = plan(found, true);
    assertEquals(320, plan.start().previousEnd());
    assertEquals(new Step.DeleteSegment(NEWEST), plan.steps().get(4));
    List<Step> sameName = EndOfRecovery.plan(found, true, end -> end, SALT).steps();
    assertEquals(4, sameName.size(), () -> sameName + ": the new segment has replaced it");
  }
}
