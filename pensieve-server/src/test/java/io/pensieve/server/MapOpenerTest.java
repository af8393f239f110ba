package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.server.http.value.StoredValue;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a start does about a bound that has become smaller, and about damage. */
final class MapOpenerTest {
  private static final int ENTRIES = 50;
  private static final StoredValue VALUE = StoredValue.text("v".repeat(1000));

  private final Path folder;
  private final ByteArrayOutputStream told = new ByteArrayOutputStream();

  MapOpenerTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private Pensieve<String, StoredValue> open(Map<Setting, String> flags) {
    Map<Setting, String> all = new HashMap<>(flags);
    all.put(Setting.DATA_DIR, folder.toString());
    Configuration configuration = Configuration.of(SettingValue.resolve(all, Map.of()));
    PrintStream err = new PrintStream(told, true, StandardCharsets.UTF_8);
    PrintStream out = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    return new MapOpener(configuration, out, err).open();
  }

  private void fill(Map<Setting, String> flags) {
    try (Pensieve<String, StoredValue> map = open(flags)) {
      for (int i = 0; i < ENTRIES; i++) {
        map.put("key-" + i, VALUE);
      }
      assertEquals(ENTRIES, map.size());
    }
  }

  private int size(Map<Setting, String> flags) {
    try (Pensieve<String, StoredValue> map = open(flags)) {
      return map.size();
    }
  }

  private String refused(Map<Setting, String> flags) {
    StartupException refused = assertThrows(StartupException.class, () -> open(flags));
    String message = String.valueOf(refused.getMessage());
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  // ---- A smaller bound

  @Test
  void aSmallerBoundDropsNothingWithoutConsent() {
    fill(Map.of());
    String message = refused(Map.of(Setting.CAPACITY, "20"));
    assertTrue(message.contains("would lose 30 of 50 entries"), message);
    assertTrue(message.contains("--allow-drops"), message);
    assertEquals(ENTRIES, size(Map.of()));
  }

  @Test
  void withConsentItDropsThoseUsedLongestAgoAndTells() {
    fill(Map.of());
    try (Pensieve<String, StoredValue> map =
        open(Map.of(Setting.CAPACITY, "20", Setting.ALLOW_DROPS, "true"))) {
      assertEquals(20, map.size());
      assertFalse(map.containsKey("key-29"));
      assertTrue(map.containsKey("key-30"));
    }
    assertTrue(told().contains("drops 30 of 50 entries"), told());
    assertEquals(20, size(Map.of(Setting.CAPACITY, "20")));
  }

  @Test
  void aSmallerBoundInBytesDropsNothingWithoutConsent() {
    fill(Map.of());
    Map<Setting, String> smaller = Map.of(Setting.CAPACITY_BYTES, "30000");
    assertTrue(refused(smaller).contains(" of 50 entries"));
    assertEquals(ENTRIES, size(Map.of()));
    Map<Setting, String> consenting = new HashMap<>(smaller);
    consenting.put(Setting.ALLOW_DROPS, "true");
    int kept = size(consenting);
    assertTrue(kept > 0 && kept < ENTRIES, () -> "kept " + kept);
    assertTrue(told().contains("drops " + (ENTRIES - kept) + " of 50 entries"), told());
  }

  @Test
  void aSmallerBoundThatHasRoomForAllNeedsNoConsent() {
    fill(Map.of());
    assertEquals(ENTRIES, size(Map.of(Setting.CAPACITY, "50")));
    assertEquals("", told());
  }

  @Test
  void aLogWhoseBoundIsNotKnownIsCountedToo() throws IOException {
    fill(Map.of());
    Files.delete(folder.resolve("bound.properties"));
    assertTrue(refused(Map.of(Setting.CAPACITY, "49")).contains("would lose 1 of 50 entries"));
    assertEquals(ENTRIES, size(Map.of()));
  }

  @Test
  void whatWasRemovedAndUsedIsCountedAsTheMapDoes() {
    fill(Map.of());
    try (Pensieve<String, StoredValue> map = open(Map.of())) {
      map.remove("key-7");
      assertTrue(map.get("key-0") != null);
    }
    try (Pensieve<String, StoredValue> map =
        open(Map.of(Setting.CAPACITY, "1", Setting.ALLOW_DROPS, "true"))) {
      assertTrue(map.containsKey("key-0"));
    }
    assertTrue(told().contains("drops 48 of 49 entries"), told());
  }

  // ---- Damage

  @Test
  void damageIsRefusedByDefaultAndNothingIsChanged() throws IOException {
    fill(Map.of());
    damage();
    Map<String, Long> before = files(folder);
    assertTrue(refused(Map.of()).contains("--on-damage"));
    assertEquals(before, files(folder));
  }

  @Test
  void whatCanBeReadOfADamagedLogIsGoneOnWith() throws IOException {
    fill(Map.of());
    damage();
    Map<String, Long> before = files(folder);
    int size = size(Map.of(Setting.ON_DAMAGE, "salvage"));
    assertTrue(size > 0 && size < ENTRIES, () -> "salvaged " + size);
    assertTrue(told().contains("lost: "), told());
    assertAside(before);
    assertEquals(size, size(Map.of()));
  }

  @Test
  void aDamagedLogIsSetAsideAndTheServerGoesOnWithNothing() throws IOException {
    fill(Map.of());
    damage();
    Map<String, Long> before = files(folder);
    assertEquals(0, size(Map.of(Setting.ON_DAMAGE, "empty")));
    assertTrue(told().contains("starts with no entries"), told());
    assertAside(before);
    assertEquals(0, size(Map.of()));
  }

  @Test
  void aStartThatDiedWhileItMovedFilesIsGoneOnWith() throws IOException {
    fill(Map.of());
    damage();
    Path aside = Files.createDirectory(folder.resolve("damaged-1"));
    Files.move(segment(), aside.resolve(segment().getFileName()));
    Files.writeString(folder.resolve("damage.mark"), "SALVAGE 1\n");
    int size = size(Map.of()); // whatever is asked for now
    assertTrue(size > 0 && size < ENTRIES, () -> "salvaged " + size);
    assertFalse(Files.exists(folder.resolve("damage.mark")));
    assertFalse(Files.exists(folder.resolve("salvaged-1")));
  }

  @Test
  void aStartThatDiedWhileItMovedSalvagedFilesInIsGoneOnWith() throws IOException {
    fill(Map.of());
    Path salvaged = Files.createDirectory(folder.resolve("salvaged-1"));
    Files.createDirectory(folder.resolve("damaged-1"));
    Files.move(segment(), salvaged.resolve(segment().getFileName()));
    Files.writeString(folder.resolve("damage.mark"), "SALVAGED 1\n");
    assertEquals(ENTRIES, size(Map.of()));
    assertFalse(Files.exists(salvaged));
  }

  private void assertAside(Map<String, Long> before) throws IOException {
    Map<String, Long> aside = files(folder.resolve("damaged-1"));
    before.keySet().removeAll(List.of("LOCK", "bound.properties"));
    assertEquals(before, aside);
    assertTrue(told().contains(folder.resolve("damaged-1").toString()), told());
  }

  private Path segment() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".log")).findFirst().orElseThrow();
    }
  }

  private void damage() throws IOException {
    byte[] bytes = Files.readAllBytes(segment());
    bytes[4096 + ENTRIES * 500] ^= 1; // in the middle of the frames
    Files.write(segment(), bytes);
  }

  private static Map<String, Long> files(Path folder) throws IOException {
    Map<String, Long> sizes = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        sizes.put(file.getFileName().toString(), Files.size(file));
      }
    }
    return sizes;
  }

  private String told() {
    return told.toString(StandardCharsets.UTF_8);
  }
}
