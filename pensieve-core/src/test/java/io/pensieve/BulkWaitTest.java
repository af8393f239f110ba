package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A call that changes many keys appends all of its changes, and then waits for the log. */
@Timeout(120)
class BulkWaitTest {
  private static final int ENTRIES = 50;

  private final RecordingLog<Integer, Integer> log = new RecordingLog<>();
  private final Pensieve<Integer, Integer> map =
      Pensieve.<Integer, Integer>builder().log(log.holdingBack()).open();
  private final ExecutorService other = Executors.newSingleThreadExecutor();

  @AfterEach
  void stop() {
    log.acknowledgeAll();
    other.shutdownNow();
    map.close();
  }

  private static Map<Integer, Integer> numbers() {
    Map<Integer, Integer> numbers = new TreeMap<>();
    for (int i = 0; i < ENTRIES; i++) {
      numbers.put(i, i);
    }
    return numbers;
  }

  /** A call that changes every entry. */
  record Call(String name, Consumer<Map<Integer, Integer>> action) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Call> calls() {
    Set<Integer> all = Set.copyOf(numbers().keySet());
    return Stream.of(
        new Call("putAll", map -> map.putAll(numbers())),
        new Call("replaceAll", map -> map.replaceAll((key, value) -> value + 1)),
        new Call("clear", Map::clear),
        new Call("keySet().clear", map -> map.keySet().clear()),
        new Call("values().clear", map -> map.values().clear()),
        new Call("entrySet().clear", map -> map.entrySet().clear()),
        new Call("keySet().removeIf", map -> map.keySet().removeIf(key -> true)),
        new Call("values().removeIf", map -> map.values().removeIf(value -> true)),
        new Call("entrySet().removeIf", map -> map.entrySet().removeIf(entry -> true)),
        new Call("keySet().removeAll a set", map -> map.keySet().removeAll(all)),
        new Call("keySet().removeAll a list", map -> map.keySet().removeAll(new ArrayList<>(all))),
        new Call("values().removeAll", map -> map.values().removeAll(all)),
        new Call("entrySet().removeAll", map -> map.entrySet().removeAll(numbers().entrySet())),
        new Call("keySet().retainAll", map -> map.keySet().retainAll(List.of())),
        new Call("values().retainAll", map -> map.values().retainAll(List.of())),
        new Call("entrySet().retainAll", map -> map.entrySet().retainAll(List.of())));
  }

  @ParameterizedTest
  @MethodSource("calls")
  void allIsAppendedBeforeAnythingIsWaitedFor(Call call) throws Exception {
    numbers().forEach(map::putAsync);
    log.acknowledgeAll();
    AtomicReference<@Nullable Thread> caller = new AtomicReference<>();
    Future<?> done =
        other.submit(
            () -> {
              caller.set(Thread.currentThread());
              call.action().accept(map);
            });
    awaitWaiting(caller, done);
    assertFalse(done.isDone(), "returned before its changes were acknowledged");
    assertEquals(2 * ENTRIES, log.history().size());
    log.acknowledgeAll();
    done.get();
    assertEquals(log.fold(), map);
    assertTrue(map.isEmpty() || map.size() == ENTRIES);
  }

  private static void awaitWaiting(AtomicReference<@Nullable Thread> caller, Future<?> done) {
    Thread thread = caller.get();
    while (!done.isDone() && (thread == null || thread.getState() != Thread.State.WAITING)) {
      Thread.onSpinWait();
      thread = caller.get();
    }
  }
}
