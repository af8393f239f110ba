package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import io.pensieve.log.LogException.OutcomeUnknown;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Nobody returns what was lost with the leadership, though they saw it in the map before: the lead
 * is lost between two steps of a reader, and then this map leads again, and acknowledges other
 * changes with larger numbers.
 */
@Timeout(120)
class LostChangeTest {
  /** A key that does something once when its hash code is asked for the n-th time from now on. */
  private static final class Key implements Comparable<Key> {
    private final String name;
    private int countdown;
    private Runnable action = () -> {};

    Key(String name) {
      this.name = name;
    }

    Key atHash(int times, Runnable once) {
      countdown = times;
      action = once;
      return this;
    }

    @Override
    public int hashCode() {
      if (countdown > 0 && --countdown == 0) {
        action.run();
      }
      return name.hashCode();
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key && key.name.equals(name);
    }

    @Override
    public int compareTo(Key other) {
      return name.compareTo(other.name);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static final NumberCodec<String> NUMBERS =
      new NumberCodec<>() {
        @Override
        public long toLong(String value) {
          return Long.parseLong(value);
        }

        @Override
        public String toValue(long number) {
          return Long.toString(number);
        }
      };

  private final ManualClock time = new ManualClock();
  private final Thread tester = Thread.currentThread();
  private Runnable atClock = () -> {};
  private Runnable atWeigher = () -> {};
  private final FakeReplicatedLog<Key, String> log = new FakeReplicatedLog<>();
  private final InstantSource clock =
      new InstantSource() {
        @Override
        public java.time.Instant instant() {
          return time.instant();
        }

        @Override
        public long millis() {
          if (Thread.currentThread() == tester) { // and not the reaper
            Runnable action = atClock;
            atClock = () -> {};
            action.run();
          }
          return time.millis();
        }
      };
  private final Pensieve<Key, String> map;
  private long term;

  LostChangeTest() {
    log.saved(new Key("a"), "1", 1).saved(new Key("b"), "2", 2);
    map =
        Pensieve.<Key, String>builder()
            .maximumEntries(100)
            .maximumWeight(
                1000,
                (key, value) -> {
                  Runnable action = atWeigher;
                  atWeigher = () -> {};
                  action.run();
                  return 1;
                })
            .clock(clock)
            .orderKeys(Comparator.naturalOrder())
            .log(log)
            .open();
    lead();
  }

  @AfterEach
  void theMapIsWhatWasAcknowledged() {
    log.acknowledgeAll();
    log.atNextWait(() -> {});
    assertEquals("1", map.get(new Key("a")));
    assertEquals("2", map.get(new Key("b")));
    List<Key> keys = new ArrayList<>();
    map.orderedKeys().forEach(keys::add);
    assertEquals(keys, map.keySet().stream().sorted().toList());
    map.close();
  }

  private void lead() {
    term++;
    log.lead(1_000_000 * term);
  }

  /** The lead is lost, and all that was not acknowledged; and then others are acknowledged. */
  private void loseAndLeadAgain() {
    log.lose();
    lead();
    map.putAsync(new Key("z"), "of term " + term);
    log.acknowledgeAll();
  }

  private static Key a() {
    return new Key("a");
  }

  @Test
  void aLostValueIsReturnedByNoRead() {
    List<Callable<?>> reads =
        List.of(
            () -> map.get(a()),
            () -> map.getVersioned(a()),
            () -> map.containsKey(a()),
            () -> map.getOrDefault(a(), ""),
            () -> map.entrySet().iterator().next(),
            () -> map.containsValue("lost"),
            () -> map.getAsync(a()).durable().get(),
            () -> map.orderedKeys().from(new Key("n")).iterator().next(),
            () -> map.putIfAbsent(a(), "x"),
            () -> map.replace(a(), "lost", "x"),
            () -> map.removeIfVersion(a(), 1),
            () -> map.increment(a(), 1, NUMBERS),
            () -> map.put(a(), "x"),
            () -> map.writeAsync(Write.removeIfVersion(a(), 1)).await(),
            () -> map.writeAsync(new AtomicBatch<Key, String>().get(a())).await(),
            () -> map.writeAsync(new AtomicBatch<Key, String>().requireVersion(a(), 1)).await());
    for (int i = 0; i < reads.size(); i++) {
      map.putAsync(a(), "lost");
      map.putAsync(new Key("n"), "lost");
      log.atNextWait(this::loseAndLeadAgain);
      assertUnknown(i, reads.get(i));
      assertEquals("1", map.get(a()));
    }
  }

  private static void assertUnknown(int which, Callable<?> read) {
    try {
      Object returned = read.call();
      throw new AssertionError("read " + which + " returned " + returned);
    } catch (OutcomeUnknown expected) {
      // as the test wants it
    } catch (Exception wrapped) {
      assertTrue(wrapped.getCause() instanceof OutcomeUnknown, () -> which + ": " + wrapped);
    }
  }

  // The clock is read between the value and its version.
  @Test
  void aLostValueIsNotTakenForOneOfAnOlderVersion() {
    map.putAsync(new Key("t"), "kept");
    log.acknowledgeAll();
    map.writeAsync(Write.put(new Key("t"), "lost").ttl(Duration.ofHours(1)));
    atClock = this::loseAndLeadAgain;
    assertThrows(OutcomeUnknown.class, () -> map.get(new Key("t")));
    assertEquals("kept", map.get(new Key("t")));
  }

  @Test
  void aLostRemovalHidesNothingFromAReadThatLooksAgain() {
    map.removeAsync(a());
    assertEquals("1", map.get(a().atHash(2, this::loseAndLeadAgain)));
    map.removeAsync(a());
    Versioned<String> found = map.getVersioned(a().atHash(2, this::loseAndLeadAgain));
    assertEquals(1, found == null ? 0 : found.version());
    map.removeAsync(a());
    assertTrue(map.containsKey(a().atHash(2, this::loseAndLeadAgain)));
    map.removeAsync(a());
    PendingRead<String> read = map.getAsync(a().atHash(2, this::loseAndLeadAgain));
    assertNotNull(read.entry());
    read.durable().join();
  }

  /** The key is absent again when it is looked up again, for another reason that may be lost. */
  @Test
  void anAbsenceOfAnotherEraIsNotTakenForTheSame() {
    for (int hash = 2; hash <= 3; hash++) {
      map.removeAsync(a());
      Key key = a();
      key.atHash(
          hash,
          () -> {
            loseAndLeadAgain();
            key.atHash(
                1,
                () -> {
                  map.removeAsync(a());
                  log.atNextWait(this::loseAndLeadAgain);
                });
          });
      try {
        assertEquals("1", map.get(key));
      } catch (OutcomeUnknown lost) {
        assertEquals("1", map.get(a()));
      }
    }
  }

  @Test
  void aLostRemovalIsNoReasonWhyAWriteDidNothing() {
    List<Callable<?>> writes =
        List.of(
            () -> map.replace(a().atHash(2, this::loseAndLeadAgain), "x"),
            () -> map.remove(a().atHash(2, this::loseAndLeadAgain)),
            () -> map.removeAsync(a().atHash(2, this::loseAndLeadAgain)),
            () -> map.computeIfPresent(a().atHash(2, this::loseAndLeadAgain), (k, v) -> "x"),
            () -> map.writeAsync(Write.removeIfVersion(a().atHash(2, this::loseAndLeadAgain), 9)),
            () -> map.keySet().remove(a().atHash(2, this::loseAndLeadAgain)));
    for (int i = 0; i < writes.size(); i++) {
      map.removeAsync(a());
      assertUnknown(i, writes.get(i));
      assertEquals("1", map.get(a()));
    }
    map.removeAsync(a());
    AtomicBatch<Key, String> batch =
        new AtomicBatch<Key, String>().requireAbsent(a()).requireVersion(new Key("b"), 77);
    log.atNextWait(this::loseAndLeadAgain);
    assertUnknown(-1, () -> map.writeAsync(batch).await());
  }

  @Test
  void aWalkDuringWhichARemovalIsLostDoesNotEndWell() {
    List<Supplier<Iterator<Key>>> walks =
        List.of(
            () -> map.keySet().iterator(),
            () -> map.orderedKeys().iterator(),
            () -> map.orderedKeys().from(new Key("A")).iterator(),
            () -> map.orderedKeys().after(new Key("A")).iterator());
    for (Supplier<Iterator<Key>> walk : walks) {
      map.removeAsync(a());
      Iterator<Key> keys = walk.get();
      log.atNextWait(this::loseAndLeadAgain);
      assertThrows(OutcomeUnknown.class, () -> keys.forEachRemaining(key -> {}));
    }
  }

  @Test
  void aListInTheOrderOfUsesIsTakenOnceTheWalkHasBegun() {
    Iterable<Map.Entry<Key, String>> view = map.coldestFirst();
    map.removeAsync(a());
    Iterator<Map.Entry<Key, String>> entries = view.iterator();
    loseAndLeadAgain();
    assertThrows(
        OutcomeUnknown.class,
        () -> {
          while (entries.hasNext()) {
            entries.next();
          }
        });
  }

  @Test
  void manyChangesOfWhichTheFirstIsLostAreNotAcknowledged() {
    Map<Key, String> entries =
        new LinkedHashMap<>() {
          @Override
          public void forEach(java.util.function.BiConsumer<? super Key, ? super String> action) {
            action.accept(new Key("m"), "lost");
            loseAndLeadAgain();
            action.accept(new Key("n"), "kept");
            log.acknowledgeAll();
          }
        };
    entries.put(a(), "unused");
    assertThrows(OutcomeUnknown.class, () -> map.putAll(entries));
    assertEquals(null, map.get(new Key("m")));
    assertEquals("kept", map.get(new Key("n")));
    assertThrows(
        OutcomeUnknown.class,
        () ->
            map.values()
                .removeIf(
                    value -> {
                      if (value.equals("kept")) {
                        return true;
                      }
                      loseAndLeadAgain();
                      return false;
                    }));
  }

  @Test
  void whileALostChangeIsBeingUndoneItsKeyIsNotAbsent() {
    map.putAsync(a(), "lost");
    List<FakeReplicatedLog.Pending<Key, String>> lost = log.closeGate();
    List<LogException> seen = new ArrayList<>();
    Runnable read =
        () -> {
          seen.add(assertThrows(OutcomeUnknown.class, () -> map.get(a())));
          seen.add(assertThrows(OutcomeUnknown.class, () -> map.getVersioned(a())));
          seen.add(assertThrows(OutcomeUnknown.class, () -> map.keySet().forEach(key -> {})));
          seen.add(assertThrows(OutcomeUnknown.class, () -> map.orderedKeys().forEach(k -> {})));
          CompletionException failed =
              assertThrows(CompletionException.class, () -> map.getAsync(a()).durable().join());
          assertTrue(failed.getCause() instanceof OutcomeUnknown);
        };
    atWeigher = read; // the old value comes back
    log.undo(lost);
    assertEquals(4, seen.size());
    assertEquals("1", map.get(a()));
    lead();
  }

  @Test
  void afterTheUndoAbsencesWaitForNothing() {
    map.removeAsync(new Key("a"));
    map.putAsync(new Key("x"), "1");
    map.removeAsync(new Key("x"));
    log.lose();
    assertEquals(null, map.get(new Key("x")));
    assertEquals(null, map.getAsync(new Key("x")).durable().join());
    assertEquals(2, Stream.of(map.keySet().toArray()).count());
    List<Key> keys = new ArrayList<>();
    map.orderedKeys().forEach(keys::add);
    assertEquals(2, keys.size());
    log.apply(5_000_000, new Change.Put<>(new Key("y"), "2"));
    assertEquals(null, map.get(new Key("x")));
    term = 10;
    lead();
  }
}
