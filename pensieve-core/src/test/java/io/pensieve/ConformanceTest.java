package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.google.common.collect.testing.ConcurrentMapTestSuiteBuilder;
import com.google.common.collect.testing.TestStringMapGenerator;
import com.google.common.collect.testing.features.CollectionFeature;
import com.google.common.collect.testing.features.CollectionSize;
import com.google.common.collect.testing.features.MapFeature;
import com.google.common.collect.testing.testers.MapToStringTester;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import junit.framework.Test;
import junit.framework.TestFailure;
import junit.framework.TestResult;
import junit.framework.TestSuite;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Guava's conformance suite for {@code ConcurrentMap}, without and with a log. */
class ConformanceTest {
  private static final List<Pensieve<String, String>> OPEN = new ArrayList<>();

  @TestFactory
  DynamicNode withoutALog() {
    return dynamic(suite("without a log", Pensieve::builder));
  }

  @TestFactory
  DynamicNode withALog() {
    return dynamic(
        suite("with a log", () -> Pensieve.<String, String>builder().log(new RecordingLog<>())));
  }

  @TestFactory
  DynamicNode withExpiryWeightsAndStatistics() {
    return dynamic(
        suite(
            "with expiry, weights and statistics",
            () ->
                Pensieve.<String, String>builder()
                    .log(new RecordingLog<>())
                    .expireAfterWrite(Duration.ofDays(1))
                    .maximumWeight(1_000, (key, value) -> 1)
                    .removalListener((key, value, cause) -> {})
                    .recordStatistics()));
  }

  private static DynamicNode dynamic(Test test) {
    if (test instanceof TestSuite suite) {
      return dynamicContainer(
          suite.getName(), Collections.list(suite.tests()).stream().map(ConformanceTest::dynamic));
    }
    return dynamicTest(test.toString(), () -> run(test));
  }

  private static void run(Test test) throws Throwable {
    TestResult result = new TestResult();
    test.run(result);
    OPEN.forEach(Pensieve::close);
    OPEN.clear();
    for (TestFailure failure : Collections.list(result.failures())) {
      throw failure.thrownException();
    }
    for (TestFailure error : Collections.list(result.errors())) {
      throw error.thrownException();
    }
    assertEquals(1, result.runCount());
  }

  private static Test suite(String name, Supplier<PensieveBuilder<String, String>> builder) {
    return ConcurrentMapTestSuiteBuilder.using(
            new TestStringMapGenerator() {
              @Override
              protected Map<String, String> create(Map.Entry<String, String>[] entries) {
                Pensieve<String, String> map = builder.get().open();
                OPEN.add(map);
                for (Map.Entry<String, String> entry : entries) {
                  map.put(entry.getKey(), entry.getValue());
                }
                return map;
              }
            })
        .named(name)
        .withFeatures(
            MapFeature.GENERAL_PURPOSE,
            CollectionFeature.SUPPORTS_ITERATOR_REMOVE,
            CollectionSize.ANY)
        .suppressing(toStringTests())
        .createTestSuite();
  }

  // A map that may hold secrets does not print them.
  private static List<Method> toStringTests() {
    return Stream.of(MapToStringTester.class.getMethods())
        .filter(method -> method.getName().startsWith("testToString"))
        .toList();
  }
}
