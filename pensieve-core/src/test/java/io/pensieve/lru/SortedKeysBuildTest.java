package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Seed;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The list of sorted keys that the first listing builds is that of the entries, whatever writers do
 * meanwhile.
 */
@Timeout(120)
class SortedKeysBuildTest {
  private static final int ROUNDS = 1_500;
  private static final int WRITERS = 3;
  private static final int KEYS = 48;
  private static final int BOUND = 40;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  // Runs once, at the builder's first comparison: it has seen all nodes, and has listed none.
  private final AtomicReference<@Nullable Runnable> beforeAdding = new AtomicReference<>();

  // Where the next change of this key stops: the change sink has it, and no reader sees it.
  private volatile @Nullable String heldKey;
  private final CountDownLatch held = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);

  private SortedKeys<String> keys = new SortedKeys<>(this::compare);
  private LruTable<String, String> table = newTable(1_000);

  // Runs once, when the list finds the key that it is to remove.
  private final AtomicReference<@Nullable Runnable> whileRemoving = new AtomicReference<>();

  private int compare(String one, String other) {
    boolean isFound = one.equals(other) && !keys.kept().isEmpty();
    Runnable once = null;
    if (isFound) {
      once = whileRemoving.getAndSet(null);
    } else if (!one.equals(other)) {
      once = beforeAdding.getAndSet(null);
    }
    if (once != null) {
      once.run();
    }
    return one.compareTo(other);
  }

  private LruTable<String, String> newTable(int bound) {
    Sink sink = new Sink();
    return new LruTable<>(
        new Capacity<>(bound, Capacity.UNWEIGHTED, (key, value) -> 0),
        sink,
        sink,
        InstantSource.system(),
        () -> {},
        keys);
  }

  private final class Sink extends NoOpSink<String, String> {
    private void holdIfAsked(String key) {
      if (key.equals(heldKey)) {
        held.countDown();
        await(released);
      }
    }

    @Override
    public long put(String key, String value, long expiryMillis) {
      holdIfAsked(key);
      return super.put(key, value, expiryMillis);
    }

    @Override
    public long remove(String key) {
      holdIfAsked(key);
      return super.remove(key);
    }
  }

  @AfterEach
  void end() throws InterruptedException {
    threads.shutdown();
    assertTrue(threads.awaitTermination(2, TimeUnit.MINUTES));
    assertKeysAreThoseOfTheEntries();
  }

  private void assertKeysAreThoseOfTheEntries() {
    List<String> expected = new ArrayList<>();
    table.forEach(node -> expected.add(node.key()));
    expected.sort(Comparator.naturalOrder());
    assertEquals(expected, listed());
  }

  private List<String> listed() {
    return List.copyOf(keys.ascending());
  }

  private void put(String key) {
    table.update(key, UpdateDecision.write("value", 0, Node.NEVER));
  }

  private void remove(String key) {
    table.updatePresent(key, UpdateDecision.remove());
  }

  @Test
  void untilTheyAreAskedForNoKeysAreKept() {
    put("b");
    put("a");
    assertEquals(List.of(), List.copyOf(keys.kept()));
    assertEquals(List.of("a", "b"), listed());
    put("c");
    remove("a");
    assertEquals(List.of("b", "c"), List.copyOf(keys.kept()));
  }

  @Test
  void aKeyThatIsRemovedWhileTheListIsBuiltIsNotListed() {
    put("a");
    put("b");
    beforeAdding.set(() -> remove("a"));
    assertEquals(List.of("b"), listed());
  }

  @Test
  void aKeyThatIsPutWhileTheListIsBuiltIsListed() {
    put("a");
    put("b");
    beforeAdding.set(() -> put("c"));
    assertEquals(List.of("a", "b", "c"), listed());
  }

  @Test
  void aKeyThatIsRemovedAndPutAgainWhileTheListIsBuiltIsListed() {
    put("a");
    put("b");
    beforeAdding.set(
        () -> {
          remove("a");
          put("a");
        });
    assertEquals(List.of("a", "b"), listed());
  }

  /** The builder removes it, because it was gone. */
  @Test
  void aKeyThatIsPutAgainWhileTheBuilderRemovesItIsListed() {
    put("a");
    put("b");
    beforeAdding.set(
        () -> {
          remove("a");
          whileRemoving.set(() -> put("a"));
        });
    assertEquals(List.of("a", "b"), listed());
    assertNull(whileRemoving.get(), "the builder removed it");
  }

  /** Its writer looked for a list before there was one. */
  @Test
  void aPutThatBeganBeforeIsWaitedFor() throws Exception {
    put("a");
    heldKey = "b";
    Future<?> writer = threads.submit(() -> put("b"));
    await(held);
    assertEquals(List.of("a", "b"), listedOnceAnotherIsReleased());
    writer.get();
  }

  @Test
  void aRemovalThatBeganBeforeIsWaitedFor() throws Exception {
    put("a");
    put("b");
    heldKey = "b";
    Future<?> writer = threads.submit(() -> remove("b"));
    await(held);
    assertEquals(List.of("a"), listedOnceAnotherIsReleased());
    writer.get();
  }

  // Releases the writer when the builder waits. If it does not wait, its result shows that.
  private List<String> listedOnceAnotherIsReleased() throws Exception {
    AtomicReference<Thread> builder = new AtomicReference<>();
    Future<List<String>> listed =
        threads.submit(
            () -> {
              builder.set(Thread.currentThread());
              return listed();
            });
    while (!listed.isDone() && !isWaiting(builder.get())) {
      Thread.onSpinWait();
    }
    if (listed.isDone()) {
      List<String> early = listed.get();
      released.countDown();
      return early;
    }
    released.countDown();
    return listed.get();
  }

  private static boolean isWaiting(@Nullable Thread thread) {
    return thread != null && thread.getState() == Thread.State.TIMED_WAITING;
  }

  @Test
  void aFunctionIsNotWaitedForAndListsItsKeyWhenItPutsIt() throws Exception {
    put("a");
    Future<?> writer =
        threads.submit(
            () ->
                table.update(
                    "b",
                    (current, version) -> {
                      held.countDown();
                      await(released);
                      return UpdateDecision.write("value", 0, Node.NEVER);
                    }));
    await(held);
    assertEquals(List.of("a"), listed());
    released.countDown();
    writer.get();
    assertEquals(List.of("a", "b"), listed());
  }

  @Test
  void aFunctionMayListTheKeys() {
    put("a");
    put("b");
    table.update(
        "a",
        (current, version) -> {
          assertEquals(List.of("a", "b"), listed());
          return UpdateDecision.remove();
        });
    assertEquals(List.of("b"), listed());
  }

  @Test
  void afterAComparatorHasThrownTheListIsBuiltAnew() {
    put("a");
    put("b");
    beforeAdding.set(
        () -> {
          throw new IllegalStateException("thrown by a test's comparator");
        });
    assertThrows(IllegalStateException.class, this::listed);
    assertEquals(List.of(), List.copyOf(keys.kept()));
    remove("a");
    put("c");
    assertEquals(List.of(), List.copyOf(keys.kept()), "writers keep no list that nobody will read");
    assertEquals(List.of("b", "c"), listed());
  }

  /** Writers put, evict and remove a few keys, in all ways, while the list is built. */
  @Test
  void theListIsThatOfTheEntriesWhateverWritersDo() throws Exception {
    Random seeds = Seed.random(SortedKeysBuildTest.class);
    for (int round = 0; round < ROUNDS; round++) {
      keys = new SortedKeys<>(this::compare);
      table = newTable(BOUND);
      for (int i = 0; i < BOUND; i += 2) {
        put("k" + i);
      }
      CyclicBarrier start = new CyclicBarrier(WRITERS + 1);
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        Random random = new Random(seeds.nextLong());
        running.add(threads.submit(() -> write(random, start)));
      }
      start.await();
      keys.ascending();
      for (Future<?> one : running) {
        one.get();
      }
      assertKeysAreThoseOfTheEntries();
    }
  }

  private Object write(Random random, CyclicBarrier start) throws Exception {
    start.await();
    for (int i = 0; i < 40; i++) {
      String key = "k" + random.nextInt(KEYS);
      switch (random.nextInt(5)) {
        case 0, 1 -> remove(key);
        case 2 ->
            table.update(
                key,
                (current, version) ->
                    current == null
                        ? UpdateDecision.write("value", 0, Node.NEVER)
                        : UpdateDecision.remove());
        case 3 ->
            table.updateAll(
                List.of(key, "k" + KEYS),
                (present, nowMillis) ->
                    List.of(
                        new MultiKeyUpdateFunction.KeyUpdate<>(
                            0, UpdateDecision.Action.WRITE, "value", 0, Node.NEVER)));
        default -> put(key);
      }
    }
    return start;
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(2, TimeUnit.MINUTES));
    } catch (InterruptedException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
