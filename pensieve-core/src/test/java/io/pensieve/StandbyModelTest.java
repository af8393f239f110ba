package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A map whose log leads, loses the lead with a part of its changes, and follows others, beside
 * threads that write, read, walk and follow its changes. The model is the list of the acknowledged
 * changes: what anyone observes of a key is in that list, and in its order.
 */
@Timeout(300)
@Tag(Depth.TAG)
class StandbyModelTest {
  private static final int KEYS = 24;
  private static final int ENTRIES_MAX = 12;
  private static final int TERMS = Depth.of(20, 600, 20_000);

  private static final long PAUSE_NANOS = 50_000; // in which others get on

  private final FakeReplicatedLog<Integer, Long> log = new FakeReplicatedLog<>();
  private final Pensieve<Integer, Long> map =
      Pensieve.<Integer, Long>builder()
          .maximumEntries(ENTRIES_MAX)
          .orderKeys(Comparator.naturalOrder())
          .log(log)
          .open();
  private final List<Observations> observers = new ArrayList<>();
  private volatile boolean over;

  /** What one thread has seen of the keys, in its order. A version of 0 stands for an absence. */
  private static final class Observations {
    private final Map<Integer, List<Long>> versions = new HashMap<>();

    void saw(int key, long version) {
      List<Long> seen = versions.computeIfAbsent(key, unseen -> new ArrayList<>());
      if (seen.isEmpty() || seen.get(seen.size() - 1) != version) {
        seen.add(version);
      }
    }

    /** Checks against the versions that each key had, one after another. */
    void assertWithin(Map<Integer, List<Long>> history) {
      versions.forEach(
          (key, seen) -> {
            List<Long> had = history.getOrDefault(key, List.of(0L));
            int at = 0;
            for (int i = 0; i < seen.size(); i++) {
              int from = at;
              while (at < had.size() && !had.get(at).equals(seen.get(i))) {
                at++;
              }
              List<Long> last = seen.subList(Math.max(0, i - 3), i + 1);
              assertTrue(
                  at < had.size(),
                  () -> key + ": saw " + last + " of " + had.subList(from, had.size()));
            }
          });
    }
  }

  @Test
  void whatAnyoneObservesIsAcknowledgedAndInOrder() throws Exception {
    Random random = Seed.random(StandbyModelTest.class);
    ExecutorService threads = Executors.newCachedThreadPool();
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Random writes = new Random(random.nextLong());
      running.add(threads.submit(() -> write(writes)));
      Observations observations = new Observations();
      observers.add(observations);
      Random choices = new Random(random.nextLong());
      running.add(threads.submit(() -> read(choices, observations)));
    }
    running.add(threads.submit(this::walk));
    Future<List<Sequenced<Integer, Long>>> streamed = threads.submit(this::streamed);
    try {
      for (int term = 1; term <= TERMS; term++) {
        lead(term, random);
        follow(term, random);
      }
    } finally {
      over = true;
    }
    for (Future<?> thread : running) {
      thread.get();
    }
    check(streamed.get());
    threads.shutdown();
    map.close();
  }

  private void lead(int term, Random random) {
    log.lead(term * 1_000_000L);
    for (int i = random.nextInt(30); i > 0; i--) {
      log.acknowledge(1 + random.nextInt(3));
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    List<FakeReplicatedLog.Pending<Integer, Long>> lost = log.lose();
    // The next leader has some of them.
    int survive = random.nextInt(2) == 0 ? 0 : random.nextInt(lost.size() + 1);
    for (FakeReplicatedLog.Pending<Integer, Long> change : lost.subList(0, survive)) {
      log.apply(change.sequence(), change.change());
    }
  }

  private void follow(int term, Random random) {
    long sequence = term * 1_000_000L + 500_000;
    for (int i = random.nextInt(20); i > 0; i--) {
      int key = random.nextInt(KEYS);
      sequence++;
      if (random.nextInt(4) == 0) {
        log.apply(sequence, new Change.Remove<>(key));
      } else if (random.nextInt(8) == 0) {
        log.map().apply(sequence, new Change.Touch<>(key));
      } else {
        log.apply(sequence, new Change.Put<>(key, sequence));
      }
    }
    if (random.nextInt(4) == 0) {
      List<LiveEntry<Integer, Long>> state = new ArrayList<>();
      log.entries().walk().coldestFirst().forEachRemaining(state::add);
      log.install(state);
    }
  }

  private void write(Random random) {
    while (!over) {
      int key = random.nextInt(KEYS);
      try {
        switch (random.nextInt(6)) {
          case 0 -> map.removeAsync(key);
          case 1 -> map.compute(key, (k, value) -> value == null ? -1 : value - 1);
          case 2 ->
              map.writeAsync(
                  new AtomicBatch<Integer, Long>().put(key, 1L).remove((key + 1) % KEYS));
          case 3 -> map.putIfAbsent(key, 7L);
          default -> map.putAsync(key, random.nextLong());
        }
      } catch (LogException.ReadOnly | LogException.OutcomeUnknown notLeading) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private void read(Random random, Observations observations) {
    while (!over) {
      int key = random.nextInt(KEYS);
      try {
        Versioned<Long> found =
            random.nextBoolean() ? map.getVersioned(key) : awaited(map.getAsync(key));
        observations.saw(key, found == null ? 0 : found.version());
      } catch (LogException.OutcomeUnknown lost) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private static @Nullable Versioned<Long> awaited(PendingRead<Long> read) {
    PendingWrite.await(read.durable());
    return read.entry();
  }

  private void walk() {
    while (!over) {
      try {
        map.keySet().forEach(key -> {});
        map.orderedKeys().forEach(key -> {});
        map.coldestFirst().forEach(entry -> {});
      } catch (LogException.OutcomeUnknown lost) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  // Whatever is delivered, the map shows it, or what came later.
  private List<Sequenced<Integer, Long>> streamed() throws InterruptedException {
    List<Sequenced<Integer, Long>> delivered = new ArrayList<>();
    try (ChangeStream<Integer, Long> changes = map.changes(0)) {
      while (true) {
        boolean last = over;
        List<Sequenced<Integer, Long>> next = changes.next(Duration.ofMillis(1));
        delivered.addAll(next);
        for (Sequenced<Integer, Long> one : next) {
          LiveEntry<Integer, Long> entry = log.map().entry(one.change().key());
          assertTrue(
              entry == null || entry.version() >= one.sequence(),
              () -> one + " is not shown by " + entry);
        }
        if (last && next.isEmpty()) {
          return delivered;
        }
      }
    }
  }

  private void check(List<Sequenced<Integer, Long>> streamed) {
    List<Sequenced<Integer, Long>> committed = log.committed();
    assertEquals(committed, streamed);
    Map<Integer, List<Long>> history = new HashMap<>();
    Map<Integer, Long> versions = new LinkedHashMap<>();
    Map<Integer, Long> values = new TreeMap<>();
    for (Sequenced<Integer, Long> one : committed) {
      int key = one.change().key();
      boolean isPut = one.change() instanceof Change.Put;
      history
          .computeIfAbsent(key, first -> new ArrayList<>(List.of(0L)))
          .add(isPut ? one.sequence() : 0);
      if (one.change() instanceof Change.Put<Integer, Long> put) {
        versions.put(key, one.sequence());
        values.put(key, put.value());
      } else {
        versions.remove(key);
        values.remove(key);
      }
    }
    assertEquals(values, new TreeMap<>(map));
    for (int key = 0; key < KEYS; key++) {
      Versioned<Long> found = map.getVersioned(key);
      assertEquals(versions.get(key), found == null ? null : (Long) found.version());
      assertNull(found == null ? map.get(key) : null);
    }
    List<Integer> sorted = new ArrayList<>();
    map.orderedKeys().forEach(sorted::add);
    assertEquals(List.copyOf(values.keySet()), sorted);
    assertEquals(values.size(), map.size());
    observers.forEach(observer -> observer.assertWithin(history));
  }
}
