package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.file.FileLog;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Opening happens last, or not at all: what is refused leaves no lock, and nobody else's log. */
@Timeout(120)
class OpeningTest {
  private final Path folder;

  OpeningTest(@TempDir Path parent) {
    folder = parent.resolve("log");
  }

  private FileLog<String, String> log(Durability durability) {
    return FileLog.open(folder, Codec.utf8(), Codec.utf8(), durability);
  }

  private PensieveBuilder<String, String> builder(Durability durability) {
    return Pensieve.<String, String>builder().log(log(durability));
  }

  static Stream<Consumer<PensieveBuilder<String, String>>> refusedSettings() {
    return Stream.of(
        builder -> builder.maximumEntries(0),
        builder -> builder.maximumEntries(Long.MIN_VALUE),
        builder -> builder.maximumWeight(0, (key, value) -> 1),
        builder -> builder.maximumWeight(-1, (key, value) -> 1),
        builder -> builder.expireAfterWrite(Duration.ZERO),
        builder -> builder.expireAfterWrite(Duration.ofNanos(-1)));
  }

  @ParameterizedTest
  @MethodSource("refusedSettings")
  void aSettingThatIsRefusedLeavesTheFolderFree(Consumer<PensieveBuilder<String, String>> setting) {
    for (int i = 0; i < 2; i++) {
      PensieveBuilder<String, String> builder = builder(Durability.PROCESS_DEATH);
      assertThrows(IllegalArgumentException.class, () -> setting.accept(builder));
    }
    builder(Durability.PROCESS_DEATH).open().close();
  }

  @Test
  @NullUnmarked
  void nothingIsTakenForNull() {
    PensieveBuilder<String, String> map = Pensieve.builder();
    Codec<String> utf8 = Codec.utf8();
    assertThrows(NullPointerException.class, () -> log(null));
    assertThrows(
        NullPointerException.class, () -> FileLog.builder(folder, utf8, utf8).durability(null));
    assertThrows(NullPointerException.class, () -> FileLog.builder(null, utf8, utf8));
    assertThrows(NullPointerException.class, () -> FileLog.builder(folder, null, utf8));
    assertThrows(NullPointerException.class, () -> FileLog.builder(folder, utf8, null));
    assertThrows(NullPointerException.class, () -> map.log(null));
    assertThrows(NullPointerException.class, () -> map.clock(null));
    assertThrows(NullPointerException.class, () -> map.removalListener(null));
    assertThrows(NullPointerException.class, () -> map.recoveryProgress(null));
    assertThrows(NullPointerException.class, () -> map.orderKeys(null));
    assertThrows(NullPointerException.class, () -> map.expireAfterWrite(null));
    assertThrows(NullPointerException.class, () -> map.maximumWeight(1, null));
  }

  @ParameterizedTest
  @EnumSource
  void aSecondMapOnTheSameLogIsRefusedAndTheFirstGoesOn(Durability durability) {
    PensieveBuilder<String, String> builder = builder(durability);
    try (Pensieve<String, String> first = builder.open()) {
      first.put("a", "1");
      assertThrows(IllegalStateException.class, builder::open);
      assertThrows(LogException.Locked.class, () -> builder(durability).open());
      first.put("b", "2");
    }
    assertThrows(IllegalStateException.class, builder::open, "closed with its map");
    try (Pensieve<String, String> again = builder(durability).open()) {
      assertEquals(Map.of("a", "1", "b", "2"), again);
    }
  }

  @Test
  void aSecondMapOnARecentLogIsRefusedToo() {
    PensieveBuilder<String, String> builder =
        Pensieve.<String, String>builder().log(Log.recent(10));
    try (Pensieve<String, String> first = builder.open()) {
      assertThrows(IllegalStateException.class, builder::open);
      first.put("a", "1");
    }
  }

  @Test
  void aBuilderWithoutALogMayOpenManyMaps() {
    PensieveBuilder<String, String> builder = Pensieve.builder();
    Pensieve<String, String> first = builder.open();
    try (Pensieve<String, String> second = builder.open()) {
      first.close();
      second.put("a", "1");
      assertEquals(Map.of(), first);
    }
  }

  static Stream<Consumer<PensieveBuilder<String, String>>> callbacksThatThrow() {
    return Stream.of(
        builder ->
            builder.recoveryProgress(
                (read, total) -> {
                  throw new Thrown();
                }),
        builder ->
            builder.maximumWeight(
                10,
                (key, value) -> {
                  throw new Thrown();
                }),
        builder ->
            builder.orderKeys(
                Comparator.comparing(
                    key -> {
                      throw new Thrown();
                    })));
  }

  @ParameterizedTest
  @MethodSource("callbacksThatThrow")
  void aCallbackThatThrowsLeavesTheFolderFree(Consumer<PensieveBuilder<String, String>> callback) {
    try (Pensieve<String, String> map = builder(Durability.PROCESS_DEATH).open()) {
      map.putAll(Map.of("a", "1", "b", "2"));
    }
    PensieveBuilder<String, String> bad = builder(Durability.PROCESS_DEATH);
    callback.accept(bad);
    assertThrows(Thrown.class, bad::open);
    try (Pensieve<String, String> map = builder(Durability.PROCESS_DEATH).open()) {
      assertEquals(Map.of("a", "1", "b", "2"), map);
    }
  }

  @Test
  void aFolderThatHasBecomeFreeIsOpenedByTheSameBuilder() {
    PensieveBuilder<String, String> waiting =
        builder(Durability.PROCESS_DEATH).orderKeys(Comparator.naturalOrder());
    try (Pensieve<String, String> map = builder(Durability.PROCESS_DEATH).open()) {
      map.put("a", "1");
      assertThrows(LogException.Locked.class, waiting::open);
    }
    try (Pensieve<String, String> map = waiting.open()) {
      assertEquals(Map.of("a", "1"), map);
    }
  }

  private static final class Thrown extends Error {
    private static final long serialVersionUID = 1L;

    Thrown() {
      super("thrown by a test's callback", null, false, false);
    }
  }
}
