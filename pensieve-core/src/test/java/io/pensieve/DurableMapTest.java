package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.FileLog;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Map and file log together: what was there is there again, in the same order. */
@Tag(Depth.TAG)
class DurableMapTest {
  private static final int BOUND = 50;
  private static final String[] AWKWARD = {
    "", ",", "a,b\nc", "\0", "\uFFFF", "\uD83D\uDE00", "grüße", " trailing ", "x".repeat(1 << 20)
  };

  private final Random random = Seed.random(DurableMapTest.class);
  private final Path folder;
  private Pensieve<String, String> map;

  DurableMapTest(@TempDir Path folder) {
    this.folder = folder;
    this.map = open(Durability.PROCESS_DEATH);
  }

  @AfterEach
  void reopeningChangesNothing() {
    List<Map.Entry<String, String>> before = coldestFirst();
    map.close();
    map = open(Durability.PROCESS_DEATH);
    assertEquals(before, coldestFirst());
    assertTrue(map.recovery().closedCleanly());
    map.close();
  }

  @Test
  void anyKeyAndAnyValueComeBack() {
    for (String value : AWKWARD) {
      for (String key : AWKWARD) {
        map.put(key, value);
      }
      reopen(Durability.PROCESS_DEATH);
      for (String key : AWKWARD) {
        assertEquals(value, map.get(key));
      }
      assertEquals(AWKWARD.length, map.size());
    }
  }

  @ParameterizedTest
  @EnumSource
  void anyHistoryOfLivesComesBackInLruOrder(Durability durability) {
    Map<String, String> model = new LinkedHashMap<>(16, 0.75f, true);
    for (int ttl = 0; ttl < Depth.of(3, 30, 300); ttl++) {
      reopen(durability);
      for (int i = random.nextInt(60); i > 0; i--) {
        operate("k" + random.nextInt(2 * BOUND), model);
      }
      assertEquals(List.copyOf(model.entrySet()), coldestFirst(), "before closing");
    }
    reopen(durability);
    assertEquals(List.copyOf(model.entrySet()), coldestFirst(), "after opening");
  }

  private void operate(String key, Map<String, String> model) {
    switch (random.nextInt(4)) {
      case 0 -> assertEquals(model.remove(key), map.remove(key));
      case 1 -> assertEquals(model.get(key), map.get(key));
      default -> {
        String value = "v" + random.nextInt();
        assertEquals(model.put(key, value), map.put(key, value));
        if (model.size() > BOUND) {
          model.remove(model.keySet().iterator().next());
        }
      }
    }
  }

  @Test
  void aValueThatTheLogCannotTakeChangesNothing() {
    map.put("a", "1");
    String tooLong = "x".repeat(5 << 20);
    assertThrows(IllegalArgumentException.class, () -> map.put("a", tooLong));
    assertThrows(IllegalArgumentException.class, () -> map.put("b", "\uD800"));
    assertEquals(Map.of("a", "1"), Map.copyOf(map));
  }

  @Test
  void aFolderBelongsToOneMap() {
    LogException.Locked refused =
        assertThrows(LogException.Locked.class, () -> open(Durability.PROCESS_DEATH));
    assertTrue(String.valueOf(refused.getMessage()).contains(folder.toString()));
    map.put("a", "the first map goes on");
  }

  private void reopen(Durability durability) {
    map.close();
    map = open(durability);
  }

  private Pensieve<String, String> open(Durability durability) {
    return Pensieve.<String, String>builder()
        .maximumEntries(BOUND)
        .log(FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(durability))
        .open();
  }

  private List<Map.Entry<String, String>> coldestFirst() {
    List<Map.Entry<String, String>> entries = new ArrayList<>();
    map.nodes().forEach(node -> entries.add(Map.entry(node.key(), String.valueOf(node.value()))));
    return entries;
  }
}
