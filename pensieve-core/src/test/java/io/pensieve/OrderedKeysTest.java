package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.LogException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A map's keys are listed in their order, each that is there, and no other. */
@Timeout(120)
class OrderedKeysTest {
  private final ManualClock clock = new ManualClock();
  private RecordingLog<String, String> log = new RecordingLog<>();
  private Pensieve<String, String> map = open(4);

  private Pensieve<String, String> open(int bound) {
    return Pensieve.<String, String>builder()
        .maximumEntries(bound)
        .orderKeys(Comparator.naturalOrder())
        .clock(clock)
        .log(log)
        .open();
  }

  private static List<String> list(Iterable<String> keys) {
    List<String> list = new ArrayList<>();
    keys.forEach(list::add);
    return list;
  }

  @Test
  void keysAscendFromAnywhere() {
    for (String key : List.of("c", "a", "d", "b")) {
      map.put(key, "1");
    }
    OrderedKeys<String> keys = map.orderedKeys();
    assertEquals(List.of("a", "b", "c", "d"), list(keys));
    assertEquals(List.of("b", "c", "d"), list(keys.from("b")));
    assertEquals(List.of("c", "d"), list(keys.after("b")));
    assertEquals(List.of("c", "d"), list(keys.from("bb")));
    assertEquals(List.of(), list(keys.after("d")));
    assertEquals(Comparator.naturalOrder(), keys.comparator());
  }

  @Test
  void aKeyThatHasNoPlaceInTheOrderIsRefusedBeforeItIsInTheLog() {
    RecordingLog<Object, String> mixedLog = new RecordingLog<>();
    try (Pensieve<Object, String> mixed =
        Pensieve.<Object, String>builder()
            .orderKeys(Comparator.comparing(Integer.class::cast))
            .log(mixedLog)
            .open()) {
      mixed.put(1, "a");
      assertThrows(ClassCastException.class, () -> mixed.put("one", "a"));
      AtomicBatch<Object, String> batch = new AtomicBatch<>();
      batch.put(2, "b").put("two", "b").put(3, "b");
      assertThrows(ClassCastException.class, () -> mixed.writeAsync(batch));
      assertEquals(Map.of(1, "a"), Map.copyOf(mixed));
      assertEquals(Map.of(1, "a"), mixedLog.fold());
    }
  }

  @Test
  void whateverRemovesAnEntryTakesItsKeyFromTheList() {
    for (String key : List.of("a", "b", "c", "d")) {
      map.put(key, "1");
    }
    map.remove("b");
    assertEquals(List.of("a", "c", "d"), list(map.orderedKeys()));
    map.writeAsync(new AtomicBatch<String, String>().put("x", "1").put("e", "1").remove("x"));
    map.writeAsync(new AtomicBatch<String, String>().remove("c").put("f", "1").put("g", "1"));
    assertEquals(List.of("d", "e", "f", "g"), list(map.orderedKeys()), "a was evicted");
    map.put("e", "2", Duration.ofSeconds(1));
    map.compute("d", (key, value) -> null);
    clock.advance(1_000);
    assertEquals(List.of("f", "g"), list(map.orderedKeys()), "e is over");
    map.cleanUp();
    map.put("e", "3");
    assertEquals(List.of("e", "f", "g"), list(map.orderedKeys()));
    map.clear();
    assertFalse(map.orderedKeys().iterator().hasNext());
  }

  @Test
  void aRefusedWriteListsNothing() {
    map.put("a", "1");
    log.refuse(new LogException.Full("no room"));
    assertThrows(LogException.Full.class, () -> map.put("b", "1"));
    assertThrows(LogException.Full.class, () -> map.remove("a"));
    log.refuse(null);
    assertEquals(List.of("a"), list(map.orderedKeys()));
  }

  @Test
  void listingIsNotAUse() {
    for (String key : List.of("a", "b", "c", "d")) {
      map.put(key, "1");
    }
    list(map.orderedKeys());
    map.put("e", "1");
    assertEquals(List.of("b", "c", "d", "e"), list(map.orderedKeys()));
  }

  @Test
  void reopeningListsWhatIsThereThen() {
    for (String key : List.of("d", "c", "b", "a")) {
      map.put(key, "1");
    }
    map.put("c", "2", Duration.ofSeconds(1));
    map.remove("d");
    map.close();
    log = log.reopened();
    clock.advance(1_000);
    map = open(1);
    assertEquals(List.of("a"), list(map.orderedKeys()), "b did not fit, c is over");
    map.put("0", "1");
    assertEquals(List.of("0"), list(map.orderedKeys()));
  }

  @Test
  void aMapKeepsItsKeysInAnOrderOnlyIfAsked() {
    Pensieve<String, String> plain = Pensieve.<String, String>builder().open();
    assertThrows(IllegalStateException.class, plain::orderedKeys);
    PensieveBuilder<String, String> builder =
        Pensieve.<String, String>builder().orderKeys(Comparator.reverseOrder());
    Pensieve<String, String> one = builder.open();
    Pensieve<String, String> other = builder.open();
    one.put("a", "1");
    one.put("b", "1");
    assertEquals(List.of("b", "a"), list(one.orderedKeys()));
    assertEquals(List.of(), list(other.orderedKeys()), "maps of one builder share nothing");
    KeyQuery query = KeyQuery.ofPrefix("", 1);
    assertThrows(IllegalArgumentException.class, () -> query.page(one.orderedKeys()));
    assertThrows(IllegalArgumentException.class, () -> KeyQuery.count(one.orderedKeys(), ""));
  }

  @Test
  void anIteratorEndsAndRefusesToRemove() {
    map.put("a", "1");
    Iterator<String> keys = map.orderedKeys().iterator();
    assertEquals("a", keys.next());
    assertThrows(UnsupportedOperationException.class, keys::remove);
    assertThrows(NoSuchElementException.class, keys::next);
    assertTrue(map.containsKey("a"));
  }

  @Test
  void aQueryIsChecked() {
    KeyQuery query = KeyQuery.ofPrefix("a", 1);
    assertThrows(IllegalArgumentException.class, () -> query.delimitedBy(""));
    assertThrows(IllegalArgumentException.class, () -> KeyQuery.ofPrefix("a", 0));
    assertEquals(
        new KeyQuery("a", Optional.of("/"), Optional.of("b"), 1),
        query.delimitedBy("/").after("b"));
  }

  /** While others come, go and are overwritten, those that stay are listed once, and in order. */
  @Test
  void whatStaysIsListedOnceWhateverOthersDo() throws Exception {
    Pensieve<String, String> busy = open(10_000);
    List<String> staying = new ArrayList<>();
    for (int i = 100; i < 1_000; i += 3) {
      staying.add("k" + i);
      busy.put("k" + i, "0");
    }
    AtomicBoolean over = new AtomicBoolean();
    Thread lister = new Thread(() -> assertListed(busy, staying, over));
    List<Throwable> failures = new ArrayList<>();
    lister.setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
    lister.start();
    try {
      ParallelRun.run(
          4,
          OrderedKeysTest.class,
          random -> {
            for (int i = 0; i < 20_000; i++) {
              int number = 100 + random.nextInt(900);
              String key = "k" + number;
              switch (random.nextInt(4)) {
                case 0 -> busy.put(key, "1");
                case 1 ->
                    busy.writeAsync(new AtomicBatch<String, String>().remove(key).put(key, "2"));
                default -> {
                  if (number % 3 != 1) {
                    busy.remove(key);
                  }
                }
              }
            }
          });
    } finally {
      over.set(true);
      lister.join();
    }
    assertEquals(List.of(), failures);
    List<String> expected = new ArrayList<>(busy.keySet());
    expected.sort(Comparator.naturalOrder());
    assertEquals(expected, list(busy.orderedKeys()));
    busy.close();
  }

  private static void assertListed(
      Pensieve<String, String> map, List<String> staying, AtomicBoolean over) {
    do {
      List<String> seen = new ArrayList<>();
      KeyQuery query = KeyQuery.ofPrefix("k", 7);
      for (Optional<String> next = Optional.of(""); next.isPresent(); ) {
        KeyPage page = query.after(next.get()).page(map.orderedKeys());
        page.items().forEach(item -> seen.add(item.text()));
        next = page.next();
      }
      List<String> ordered = seen.stream().sorted().distinct().toList();
      assertEquals(ordered, seen);
      assertTrue(seen.containsAll(staying), "all that stay are listed");
    } while (!over.get());
  }
}
