package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.BatchResult.OperationResult;
import io.pensieve.log.Change;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * From one thread a batch does what its operations do one after another to an access-ordered {@link
 * LinkedHashMap} without a bound, which is then brought back to its bound; or nothing. The log
 * folds to the same, in the same order, and has the changes of a batch together.
 */
@Timeout(300)
class BatchModelTest {
  private final Random random = Seed.random(BatchModelTest.class);
  private RecordingLog<Integer, String> log = new RecordingLog<>();
  private int bound = 1;
  private Pensieve<Integer, String> map = open();
  private Map<Integer, String> model = accessOrdered();
  private Map<Integer, Long> versions = new HashMap<>();

  private Pensieve<Integer, String> open() {
    return Pensieve.<Integer, String>builder().maximumEntries(bound).log(log).open();
  }

  private static Map<Integer, String> accessOrdered() {
    return new LinkedHashMap<>(16, 0.75f, true);
  }

  @Test
  void everyBoundFrom1To60() {
    for (bound = 1; bound <= 60; bound++) {
      map.close();
      log = new RecordingLog<>();
      map = open();
      model = accessOrdered();
      versions = new HashMap<>();
      for (int i = 0; i < 600; i++) {
        operate(bound + bound / 2 + 2);
        assertSame();
        if (i % 200 == 199) {
          restart();
        }
      }
    }
    map.close();
  }

  private void restart() {
    map.close();
    assertEquals(List.copyOf(model.entrySet()), List.copyOf(log.fold().entrySet()));
    log = log.reopened();
    map = open();
    assertSame();
  }

  private void assertSame() {
    List<Map.Entry<Integer, String>> shown = new ArrayList<>();
    map.coldestFirst().forEach(shown::add);
    assertEquals(List.copyOf(model.entrySet()), shown);
    assertEquals(model.size(), map.size());
  }

  private void operate(int keys) {
    int key = random.nextInt(keys);
    if (random.nextInt(3) == 0) {
      assertEquals(model.get(key), map.get(key));
    } else if (random.nextInt(6) == 0) {
      assertEquals(model.remove(key), map.remove(key));
      versions.remove(key);
    } else {
      runBatch(keys);
    }
  }

  private void runBatch(int keys) {
    AtomicBatch<Integer, String> batch = new AtomicBatch<>();
    Run run = new Run();
    for (int i = random.nextInt(8); i >= 0; i--) {
      add(batch, run, random.nextInt(keys));
    }
    int before = log.history().size();
    if (run.refused < 0 && run.puts() > bound) {
      assertThrows(IllegalArgumentException.class, () -> map.writeAsync(batch));
      assertEquals(before, log.history().size());
      return;
    }
    BatchResult<String> outcome = map.writeAsync(batch).await();
    assertEquals(run.refused, outcome.failure().map(failure -> failure.operation()).orElse(-1));
    if (run.refused >= 0) {
      assertEquals(before, log.history().size());
      return;
    }
    compare(run, outcome.results());
    run.commit();
    assertTogether(before, run.changes);
  }

  private void compare(Run run, List<OperationResult<String>> results) {
    assertEquals(run.expected.size(), results.size());
    for (int i = 0; i < results.size(); i++) {
      Expected expected = run.expected.get(i);
      OperationResult<String> operationResult = results.get(i);
      Versioned<String> entry = operationResult.entry();
      assertEquals(expected.previous, operationResult.previous());
      assertEquals(expected.value, entry == null ? null : entry.value());
      assertEquals(expected.changed, operationResult.changed());
      if (entry != null && !expected.pending) {
        assertEquals(versions.get(expected.key), entry.version());
      }
    }
    for (int i = 0; i < results.size(); i++) {
      Versioned<String> entry = results.get(i).entry();
      if (entry != null) {
        versions.put(run.expected.get(i).key, entry.version());
      }
    }
  }

  // Evictions come behind.
  private void assertTogether(int before, Set<Integer> changed) {
    List<Change<Integer, String>> history = log.history();
    Set<Integer> logged = new HashSet<>();
    history.subList(before, before + changed.size()).forEach(change -> logged.add(change.key()));
    assertEquals(changed, logged);
    if (changed.size() > 1) {
      List<List<Change<Integer, String>>> groups = log.groups();
      assertEquals(history.subList(before, before + changed.size()), groups.get(groups.size() - 1));
    }
  }

  private void add(AtomicBatch<Integer, String> batch, Run run, int key) {
    String value = String.valueOf(random.nextInt(100));
    switch (random.nextInt(9)) {
      case 0, 1, 2 -> {
        batch.put(key, value);
        run.write(key, value);
      }
      case 3 -> {
        batch.remove(key);
        run.write(key, null);
      }
      case 4 -> {
        long version = versions.getOrDefault(key, 7L) + (random.nextInt(8) == 0 ? 1 : 0);
        batch.requireVersion(key, version);
        run.require(
            key,
            run.entries.containsKey(key)
                && !run.pending.contains(key)
                && version == requireNonNull(versions.get(key)));
      }
      case 5 -> {
        batch.requireAbsent(key);
        run.require(key, !run.entries.containsKey(key));
      }
      case 6 -> {
        batch.increment(key, 5, NumberCodec.decimal());
        String present = run.entries.get(key);
        run.write(key, String.valueOf(present == null ? 5 : Integer.parseInt(present) + 5));
      }
      default -> {
        batch.get(key);
        run.read(key);
      }
    }
  }

  private record Expected(
      int key,
      @Nullable String previous,
      @Nullable String value,
      boolean changed,
      boolean pending) {}

  /** What a batch should do. */
  private final class Run {
    final Map<Integer, String> entries = accessOrdered();
    final Set<Integer> pending = new HashSet<>();
    final Set<Integer> changes = new HashSet<>(); // those that are to be logged
    final List<Expected> expected = new ArrayList<>();
    int refused = -1;

    Run() {
      entries.putAll(model);
    }

    void write(int key, @Nullable String value) {
      String previous = value == null ? entries.remove(key) : entries.put(key, value);
      boolean changed = previous != null || value != null;
      if (changed) {
        pending.add(key);
      }
      expected.add(new Expected(key, previous, value, changed, pending.contains(key)));
    }

    void read(int key) {
      String value = entries.get(key);
      expected.add(new Expected(key, value, value, false, pending.contains(key)));
    }

    void require(int key, boolean holds) {
      if (!holds && refused < 0) {
        refused = expected.size();
      }
      String value = peek(key);
      expected.add(new Expected(key, value, value, false, pending.contains(key)));
    }

    private @Nullable String peek(int key) {
      return new HashMap<>(entries).get(key);
    }

    long puts() {
      return pending.stream().filter(entries::containsKey).count();
    }

    void commit() {
      for (int key : pending) {
        if (entries.containsKey(key) || model.containsKey(key)) {
          changes.add(key);
        }
      }
      model.clear();
      model.putAll(entries);
      while (model.size() > bound) {
        model.remove(model.keySet().iterator().next());
      }
    }
  }
}
