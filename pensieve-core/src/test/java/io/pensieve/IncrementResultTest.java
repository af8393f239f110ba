package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values that stand for numbers are added to, and nothing else is changed. */
@Timeout(120)
class IncrementResultTest {
  private static final int THREADS = 8;
  private final ManualClock clock = new ManualClock();
  private final RecordingLog<String, String> log = new RecordingLog<>();
  private final Pensieve<String, String> map = open(log);

  private Pensieve<String, String> open(RecordingLog<String, String> opened) {
    return Pensieve.<String, String>builder()
        .maximumEntries(2)
        .clock(clock)
        .expireAfterWrite(Duration.ofSeconds(60))
        .log(opened)
        .open();
  }

  @Test
  void anAbsentKeyCountsAsZero() {
    assertEquals(-3, map.increment("n", -3, NumberCodec.decimal()));
    assertEquals(0, map.increment("n", 3, NumberCodec.decimal()));
    assertEquals(Map.of("n", "0"), map);
  }

  @Test
  void anIncrementIsAUseAndTellsTheVersion() throws Exception {
    map.put("a", "1");
    map.put("b", "1");
    IncrementResult incrementResult = map.incrementAsync("a", 1, NumberCodec.decimal()).get();
    assertEquals(new IncrementResult(2, 3), incrementResult);
    assertTrue(map.removeIfVersion("a", incrementResult.version()));
    map.increment("b", 1, NumberCodec.decimal());
    map.increment("c", 1, NumberCodec.decimal());
    map.increment("b", 1, NumberCodec.decimal());
    map.increment("d", 1, NumberCodec.decimal());
    assertEquals(List.of("b", "d"), List.copyOf(log.fold().keySet()));
  }

  @Test
  void theEntryExpiresWhenItWould() {
    map.put("a", "1", Duration.ofSeconds(2));
    map.increment("b", 1, NumberCodec.decimal());
    clock.advance(1_000);
    map.increment("a", 1, NumberCodec.decimal());
    map.increment("b", 1, NumberCodec.decimal());
    clock.advance(999);
    assertEquals("2", map.get("a"));
    clock.advance(1);
    assertFalse(map.containsKey("a"));
    assertEquals(1, map.increment("a", 1, NumberCodec.decimal()), "begins anew");
    clock.advance(57_999);
    assertEquals("2", map.get("b"));
    clock.advance(1);
    assertFalse(map.containsKey("b"), "a minute after it was first written");
    assertTrue(map.containsKey("a"));
  }

  @Test
  void whatIsBeyondALongIsRefused() {
    map.put("n", Long.toString(Long.MAX_VALUE));
    assertThrows(ArithmeticException.class, () -> map.increment("n", 1, NumberCodec.decimal()));
    assertEquals(0, map.increment("n", -Long.MAX_VALUE, NumberCodec.decimal()));
    map.put("n", Long.toString(Long.MIN_VALUE));
    assertEquals(-1, map.increment("n", Long.MAX_VALUE, NumberCodec.decimal()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "+1",
        "01",
        "-0",
        "00",
        "1 ",
        " 1",
        "1.0",
        "0x1",
        "-",
        "--1",
        "1e3",
        "\u0661",
        "9223372036854775808",
        "-9223372036854775809"
      })
  void whatIsNoNumberIsLeftAlone(String value) {
    map.put("n", value);
    assertThrows(ArithmeticException.class, () -> map.increment("n", 1, NumberCodec.decimal()));
    assertEquals(value, map.get("n"));
    assertEquals(1, log.history().size());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, 10, Long.MAX_VALUE, Long.MIN_VALUE})
  void everyNumberIsReadAsItIsWritten(long number) {
    assertEquals(number, NumberCodec.decimal().toLong(NumberCodec.decimal().toValue(number)));
  }

  @Test
  void theSumAndTheRefusalAreToldWhenTheyAreDurable() {
    RecordingLog<String, String> slow = new RecordingLog<String, String>().holdingBack();
    Pensieve<String, String> behind = open(slow);
    CompletableFuture<IncrementResult> sum = behind.incrementAsync("n", 1, NumberCodec.decimal());
    behind.putAsync("word", "one");
    CompletableFuture<IncrementResult> refused =
        behind.incrementAsync("word", 1, NumberCodec.decimal());
    assertFalse(sum.isDone());
    assertFalse(refused.isDone(), "the word may not survive");
    slow.acknowledgeAll();
    assertEquals(new IncrementResult(1, 1), sum.join());
    CompletionException failure = assertThrows(CompletionException.class, refused::join);
    assertInstanceOf(ArithmeticException.class, failure.getCause());
    behind.close();
  }

  @Test
  void noIncrementIsLost() throws Exception {
    ParallelRun.run(
        THREADS,
        IncrementResultTest.class,
        random -> {
          for (int i = 0; i < 10_000; i++) {
            if (random.nextInt(10) == 0) {
              map.writeAsync(
                  new AtomicBatch<String, String>().increment("n", 1, NumberCodec.decimal()));
            } else {
              map.increment("n", 1, NumberCodec.decimal());
            }
          }
        });
    assertEquals(String.valueOf(THREADS * 10_000), map.get("n"));
  }
}
