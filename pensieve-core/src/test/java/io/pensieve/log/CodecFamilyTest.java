package io.pensieve.log;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_16;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.pensieve.testing.Seed;
import java.io.ObjectInputFilter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.DayOfWeek;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The codecs for what people keep in maps: values come back, and damaged bytes are refused. */
class CodecFamilyTest {
  private static final int ROUNDS = 300;

  /** A codec, and values for it. */
  record Sample<T>(Codec<T> codec, Function<Random, T> value) {
    @Override
    public String toString() {
      return codec.name();
    }
  }

  record Point(int x, long y) {}

  record Everything(
      double number,
      boolean flag,
      String text,
      UUID id,
      Instant time,
      DayOfWeek day,
      Point point,
      List<Point> points,
      Optional<List<String>> names) {}

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(6); length > 0; length--) {
      text.append((char) ('!' + random.nextInt(90)));
    }
    return text.toString();
  }

  private static Instant time(Random random) {
    return Instant.ofEpochSecond(random.nextInt(), random.nextInt(1_000_000_000));
  }

  private static Point point(Random random) {
    return new Point(random.nextInt(), random.nextLong());
  }

  private static <T> List<T> several(Random random, Function<Random, T> one) {
    List<T> list = new ArrayList<>();
    for (int length = random.nextInt(4); length > 0; length--) {
      list.add(one.apply(random));
    }
    return list;
  }

  private static Everything everything(Random random) {
    return new Everything(
        random.nextDouble(),
        random.nextBoolean(),
        text(random),
        new UUID(random.nextLong(), random.nextLong()),
        time(random),
        DayOfWeek.of(1 + random.nextInt(7)),
        point(random),
        several(random, CodecFamilyTest::point),
        random.nextBoolean()
            ? Optional.empty()
            : Optional.of(several(random, CodecFamilyTest::text)));
  }

  static Stream<Sample<?>> samples() {
    ObjectInputFilter onlyLists =
        ObjectInputFilter.Config.createFilter("maxarray=100;maxdepth=5;java.util.*;java.lang.*;!*");
    return Stream.of(
        new Sample<>(Codec.int32(), Random::nextInt),
        new Sample<>(Codec.int64(), Random::nextLong),
        new Sample<>(Codec.float64(), random -> Double.longBitsToDouble(random.nextLong())),
        new Sample<>(Codec.bool(), Random::nextBoolean),
        new Sample<>(Codec.uuid(), random -> new UUID(random.nextLong(), random.nextLong())),
        new Sample<>(Codec.instant(), CodecFamilyTest::time),
        new Sample<>(Codec.enumeration(DayOfWeek.class), random -> DayOfWeek.MONDAY),
        new Sample<>(Codec.utf8(), CodecFamilyTest::text),
        new Sample<>(Codec.string(US_ASCII), CodecFamilyTest::text),
        new Sample<>(Codec.string(ISO_8859_1), random -> text(random) + "\u00e9"),
        new Sample<>(Codec.string(UTF_16), random -> text(random) + "\uD83D\uDE00"),
        new Sample<>(Codec.list(Codec.int32()), random -> several(random, Random::nextInt)),
        new Sample<>(
            Codec.optional(Codec.utf8()),
            random -> random.nextBoolean() ? Optional.empty() : Optional.of(text(random))),
        new Sample<>(Codec.record(Point.class), CodecFamilyTest::point),
        new Sample<>(Codec.record(Everything.class), CodecFamilyTest::everything),
        new Sample<>(
            Codec.serializable(ArrayList.class, onlyLists),
            random -> new ArrayList<>(several(random, CodecFamilyTest::text))));
  }

  @ParameterizedTest
  @MethodSource("samples")
  <T> void valuesComeBackAndEqualOnesHaveEqualBytes(Sample<T> sample) {
    Random random = Seed.random(CodecFamilyTest.class);
    Codec<T> codec = sample.codec();
    for (int i = 0; i < ROUNDS; i++) {
      T value = sample.value().apply(random);
      byte[] bytes = codec.encode(value);
      T decoded = codec.decode(bytes);
      assertEquals(value, decoded);
      assertArrayEquals(bytes, codec.encode(decoded));
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  <T> void damagedBytesAreRefusedOrMeanAValue(Sample<T> sample) {
    Random random = Seed.random(CodecFamilyTest.class);
    Codec<T> codec = sample.codec();
    for (int i = 0; i < ROUNDS; i++) {
      byte[] bytes = codec.encode(sample.value().apply(random));
      refuseOrMean(codec, Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)));
      refuseOrMean(codec, Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(9)));
      byte[] changed = bytes.clone();
      for (int flips = random.nextInt(4); flips >= 0 && changed.length > 0; flips--) {
        changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
      }
      refuseOrMean(codec, changed);
    }
  }

  private static <T> void refuseOrMean(Codec<T> codec, byte[] bytes) {
    T value;
    try {
      value = codec.decode(bytes);
    } catch (IllegalArgumentException refused) {
      return;
    } catch (RuntimeException other) {
      fail(codec.name() + " for " + HexFormat.of().formatHex(bytes), other);
      return;
    }
    if (!codec.name().startsWith("serialization:")) { // which may read what it does not write
      assertEquals(value, codec.decode(codec.encode(value)), codec.name());
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  <T> void bytesTooManyAreRefused(Sample<T> sample) {
    Codec<T> codec = sample.codec();
    byte[] bytes = codec.encode(sample.value().apply(Seed.random(CodecFamilyTest.class)));
    if (!codec.name().matches("utf8|string:.*|optional<utf8>|serialization:.*")) {
      byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
      assertThrows(IllegalArgumentException.class, () -> codec.decode(longer));
    }
  }

  @Test
  void theBytesAreThese() {
    HexFormat hex = HexFormat.of();
    assertEquals("04030201", hex.formatHex(Codec.int32().encode(0x01020304)));
    assertEquals("000000000000f83f", hex.formatHex(Codec.float64().encode(1.5)));
    assertEquals(
        "00112233445566778899aabbccddeeff",
        hex.formatHex(
            Codec.uuid().encode(UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"))));
    assertEquals(
        "010000000000000002000000",
        hex.formatHex(Codec.instant().encode(Instant.ofEpochSecond(1, 2))));
    assertEquals(
        "4d4f4e444159", hex.formatHex(Codec.enumeration(DayOfWeek.class).encode(DayOfWeek.MONDAY)));
    assertEquals(
        "02000000" + "0100000061" + "00000000",
        hex.formatHex(Codec.list(Codec.utf8()).encode(List.of("a", ""))));
    assertEquals("0161", hex.formatHex(Codec.optional(Codec.utf8()).encode(Optional.of("a"))));
    assertEquals(
        "02000000" + "0400000001000000" + "080000000200000000000000",
        hex.formatHex(Codec.record(Point.class).encode(new Point(1, 2))));
  }

  @Test
  void equalDoublesHaveEqualBytes() {
    double otherNan = Double.longBitsToDouble(0x7ff8_0000_0000_0001L);
    assertArrayEquals(Codec.float64().encode(Double.NaN), Codec.float64().encode(otherNan));
    assertTrue(!Arrays.equals(Codec.float64().encode(0.0), Codec.float64().encode(-0.0)));
  }

  @Test
  void aStringThatTheCharsetCannotRepresentIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Codec.string(US_ASCII).encode("\u00e9"));
    assertThrows(IllegalArgumentException.class, () -> Codec.string(ISO_8859_1).encode("\u20ac"));
    assertThrows(IllegalArgumentException.class, () -> Codec.string(UTF_16).encode("\uD83D"));
    assertThrows(
        IllegalArgumentException.class, () -> Codec.string(Charset.forName("x-JISAutoDetect")));
    assertThrows(
        IllegalArgumentException.class,
        () -> Codec.string(US_ASCII).decode(new byte[] {(byte) 0xe9}));
  }

  // ---- Records that evolve

  record UserV1(String name) {}

  record UserV2(String name, int age, Optional<String> mail) {}

  @Test
  void aComponentThatWasAddedHasItsDefaultInOldValues() {
    byte[] old = Codec.record(UserV1.class).encode(new UserV1("ann"));
    Codec<UserV2> codec = Codec.record(UserV2.class, -1, Optional.empty());
    assertEquals(new UserV2("ann", -1, Optional.empty()), codec.decode(old));
    UserV2 now = new UserV2("bob", 40, Optional.of("b@example.org"));
    assertEquals(now, codec.decode(codec.encode(now)));
    byte[] newer = codec.encode(now);
    assertThrows(IllegalArgumentException.class, () -> Codec.record(UserV1.class).decode(newer));
    assertThrows(IllegalArgumentException.class, () -> Codec.record(UserV2.class).decode(old));
  }

  @SuppressWarnings("ArrayRecordComponent") // a record may have one
  record WithArray(byte[] bytes) {}

  record Strict(int positive) {
    Strict {
      if (positive < 0) {
        throw new IllegalStateException("negative");
      }
    }
  }

  record Endless(Optional<Endless> next) {}

  record Unknown(Thread thread) {}

  @Test
  void whatARecordCannotBeIsRefused() {
    byte[] array = {1, 2};
    Codec<WithArray> arrays = Codec.record(WithArray.class);
    assertArrayEquals(array, arrays.decode(arrays.encode(new WithArray(array))).bytes());
    byte[] negative = Codec.list(Codec.int32()).encode(List.of(-1));
    assertThrows(IllegalArgumentException.class, () -> Codec.record(Strict.class).decode(negative));
    assertThrows(IllegalArgumentException.class, () -> Codec.record(Endless.class));
    assertThrows(IllegalArgumentException.class, () -> Codec.record(Unknown.class));
    assertThrows(IllegalArgumentException.class, () -> Codec.record(UserV1.class, 1));
    assertThrows(IllegalArgumentException.class, () -> Codec.record(UserV1.class, "a", "b"));
  }

  @Test
  void theFilterDecidesWhatSerializationMayBring() {
    ObjectInputFilter nothing = ObjectInputFilter.Config.createFilter("!*");
    Codec<ArrayList<?>> codec = lists(nothing);
    byte[] bytes = codec.encode(new ArrayList<>(List.of("a")));
    assertThrows(IllegalArgumentException.class, () -> codec.decode(bytes));
    byte[] other =
        Codec.serializable(String.class, ObjectInputFilter.Config.createFilter("*")).encode("a");
    assertThrows(
        IllegalArgumentException.class,
        () -> lists(ObjectInputFilter.Config.createFilter("*")).decode(other));
  }

  @SuppressWarnings({"unchecked", "NonApiType"}) // there is no class of ArrayList<?>
  private static Codec<ArrayList<?>> lists(ObjectInputFilter filter) {
    return (Codec<ArrayList<?>>) (Codec<?>) Codec.serializable(ArrayList.class, filter);
  }

  @Test
  void aCodecHasANameUnlessOneInItHasNone() {
    assertEquals("list<optional<utf8>>", Codec.list(Codec.optional(Codec.utf8())).name());
    assertEquals("string:UTF-16", Codec.string(StandardCharsets.UTF_16).name());
    Codec<Object> nameless =
        new Codec<>() {
          @Override
          public byte[] encode(Object value) {
            return new byte[0];
          }

          @Override
          public Object decode(byte[] bytes) {
            return "";
          }
        };
    assertEquals("", Codec.list(nameless).name());
    List<String> names = new ArrayList<>(samples().map(Objects::toString).toList());
    Collections.sort(names);
    assertEquals(names.size(), names.stream().distinct().count(), names.toString());
  }
}
