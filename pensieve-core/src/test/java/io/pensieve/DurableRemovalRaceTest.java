package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.testing.Depth;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever finds a key absent has waited for its removal, whenever the removal came. */
@Timeout(600)
@Tag(Depth.TAG)
class DurableRemovalRaceTest {
  private static final int RACES = Depth.of(10_000, 200_000, 20_000_000);

  /** A log on whose disk nothing ever is, so that everybody waits; it notes for what, each time. */
  private static final class NeverDurable implements Log<Integer, Integer> {
    private final AtomicLong sequence = new AtomicLong();
    private final ThreadLocal<Long> waitedFor = ThreadLocal.withInitial(() -> 0L);

    @Override
    public RecoveryReport replay(ReplayHandler<Integer, Integer> handler) {
      return RecoveryReport.empty();
    }

    @Override
    public long append(Change<Integer, Integer> change) {
      return sequence.incrementAndGet();
    }

    @Override
    public long durableSequence() {
      return 0;
    }

    @Override
    public void awaitDurable(long sequence) {
      waitedFor.set(sequence);
    }

    @Override
    public CompletableFuture<Void> whenDurable(long sequence) {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void close() {}
  }

  private final NeverDurable log = new NeverDurable();
  private final Pensieve<Integer, Integer> map =
      Pensieve.<Integer, Integer>builder().maximumEntries(1_000_000).log(log).open();
  private int keys;

  private final class OneKey {
    final Integer key = ++keys;
    long removed;
    boolean absent;
    long waitedFor;

    OneKey() {
      map.put(key, key);
    }

    void remove() {
      removed = map.removeAsync(key).version();
    }

    void look() {
      absent = map.get(key) == null;
      waitedFor = log.waitedFor.get();
    }

    String told() {
      if (absent) {
        return waitedFor >= removed ? "absent, and waited for" : "absent, and not waited for";
      }
      return "present";
    }
  }

  @Test
  void anAbsenceIsWaitedForAsSoonAsItIsSeen() throws Exception {
    Map<String, Integer> counted =
        Race.outcomes(RACES, OneKey::new, OneKey::remove, OneKey::look, OneKey::told);
    assertEquals(
        Set.of(), without(counted, Set.of("absent, and waited for", "present")), counted::toString);
  }

  @Test
  void ofTwoRemovalsThatShareAStripeTheLaterOneIsWaitedFor() throws Exception {
    Map<String, Integer> counted =
        Race.outcomes(
            RACES,
            RemovalWatermarks::new,
            guard -> guard.recordRemoval(1, 1),
            guard -> guard.recordRemoval(1, 2),
            guard -> "waits for " + guard.lastRemoval(1));
    assertEquals(Set.of(), without(counted, Set.of("waits for 2")), counted::toString);
  }

  private static Set<String> without(Map<String, Integer> counted, Set<String> allowed) {
    System.out.println("DurableRemovalRaceTest: " + counted);
    Set<String> forbidden = new TreeSet<>(counted.keySet());
    forbidden.removeAll(allowed);
    return forbidden;
  }
}
