package io.pensieve.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** Runs every benchmark for a blink, so that none rots. Says nothing about speed. */
class BenchmarksRunTest {

  /** Another JMH on the machine would disturb a measurement; it does not disturb this. */
  @BeforeEach
  void ignoreOtherRuns() {
    System.setProperty("jmh.ignoreLock", "true");
  }

  @AfterEach
  void mindOtherRunsAgain() {
    System.clearProperty("jmh.ignoreLock");
  }

  @Test
  void everyBenchmarkRunsWithEveryParameter(@TempDir Path folder) throws Exception {
    Collection<RunResult> results =
        new Runner(
                new OptionsBuilder()
                    .param("folder", folder.toString())
                    .param("entries", "1000")
                    .param("feature", FeatureBenchmark.Feature.EXPIRE_AFTER.name())
                    .forks(0)
                    .warmupIterations(0)
                    .measurementIterations(1)
                    .measurementTime(TimeValue.milliseconds(50))
                    .threads(2)
                    .shouldFailOnError(true)
                    .verbosity(VerboseMode.SILENT)
                    .build())
            .run();
    TreeMap<String, Long> runs =
        results.stream()
            .map(result -> result.getParams().getBenchmark().replace("io.pensieve.bench.", ""))
            .collect(Collectors.groupingBy(name -> name, TreeMap::new, Collectors.counting()));
    assertEquals(
        "{EvictionBenchmark.putNew=5, FeatureBenchmark.getHit=2, FeatureBenchmark.overwrite=2,"
            + " LogBenchmark.powerCut=3, LogBenchmark.processDeath=5,"
            + " MapBenchmark.getHit=6, MapBenchmark.overwrite=6, MissBenchmark.getOrPut=5}",
        runs.toString());
    for (RunResult result : results) {
      assertTrue(result.getPrimaryResult().getScore() > 0, () -> "did nothing: " + result);
    }
    assertEquals(Set.of(), filesIn(folder), "cleaned up");
  }

  @Test
  void hitsOfEveryKindOfKeysAndUsesAreMeasured() throws Exception {
    String[] kinds =
        Arrays.stream(Keys.values())
            .map(kind -> kind.name().toLowerCase(Locale.ROOT))
            .toArray(String[]::new);
    Collection<RunResult> results =
        new Runner(
                new OptionsBuilder()
                    .include("MapBenchmark.getHit")
                    .param("map", "pensieve")
                    .param("keys", kinds)
                    .param("uses", "zipf", "uniform", "one")
                    .param("entries", "1000")
                    .forks(0)
                    .warmupIterations(0)
                    .measurementIterations(1)
                    .measurementTime(TimeValue.milliseconds(10))
                    .shouldFailOnError(true)
                    .verbosity(VerboseMode.SILENT)
                    .build())
            .run();
    assertEquals(kinds.length * 3, results.size());
  }

  @ParameterizedTest
  @EnumSource
  void aMapWithAFeatureKeepsWhatIsPut(FeatureBenchmark.Feature feature) throws Exception {
    for (String name : List.of("pensieve", "caffeine")) {
      Map<String, String> map = feature.create(name, 10);
      assertNull(map.put("a", "1"));
      assertEquals("1", map.put("a", "2"));
      assertEquals("2", map.get("a"));
      Contenders.close(map);
    }
  }

  @Test
  void keysOfANumberAreEqualAndOthersDiffer() {
    for (Keys kind : Keys.values()) {
      Set<Object> keys = new HashSet<>();
      for (int i = 0; i < 20_000; i++) {
        assertTrue(keys.add(kind.key(i)), kind + " twice: " + i);
      }
      assertTrue(keys.contains(kind.key(11_111)), kind + " not found again");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"log", "base", "overwrites"})
  void theRecoveryBenchmarkRunsWithEveryHistory(String history, @TempDir Path folder)
      throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    RecoveryBenchmark.run(
        Map.of("folder", folder.toString(), "entries", "500", "history", history, "rounds", "2"),
        new PrintStream(printed, true, StandardCharsets.UTF_8));
    List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(4, lines.size(), "two rounds with one thread and with more");
    String changes = history.equals("overwrites") ? "(2000 changes to " : "(500 changes to 500 ";
    for (String line : lines) {
      assertTrue(line.startsWith(history + ", round ") && line.contains(changes), line);
    }
    assertEquals(Set.of(), filesIn(folder), "cleaned up");
  }

  @Test
  void overwritingTellsSizesAndStallsAndCleansUp(@TempDir Path folder) throws Exception {
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    OverwriteStalls.run(
        Map.of("folder", folder.toString(), "keys", "1000", "puts", "20000", "threads", "2"),
        new PrintStream(told, true, StandardCharsets.UTF_8));
    String text = told.toString(StandardCharsets.UTF_8);
    assertTrue(text.contains("20,000 puts on 1,000 keys") && text.contains("p99.99"), text);
    assertEquals(Set.of(), filesIn(folder), "cleaned up");
  }

  @Test
  void hitRatiosAreToldForEachTraceAndPeer() throws Exception {
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    HitRatio.run(
        Map.of("threads", "2", "requests", "3000", "entries", "100,200"),
        new PrintStream(told, true, StandardCharsets.UTF_8));
    List<String> lines = told.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(2 + 2 * 5, lines.size(), "a head, and five traces for each bound");
    for (String line : lines) {
      assertEquals(8 + 1, line.chars().filter(c -> c == '|').count(), line);
    }
    // 99 keys that fit: all but the first time round.
    assertTrue(lines.get(5).startsWith("| loop over 0.99x, 100 entries | 96.700 |"), lines.get(5));
  }

  @Test
  void aResultTableHasALineForEachBenchmarkAndTheRatioToEachContender(@TempDir Path folder)
      throws IOException {
    Path results =
        Files.writeString(
            folder.resolve("results.csv"),
            """
            "Benchmark","Mode","Threads","Samples","Score","Score Error (99.9%)","Unit","Param: entries","Param: folder","Param: store"
            "io.pensieve.bench.A.put","thrpt",2,5,1500.5,7.1,"ops/ms",100,/tmp,"pensieve"
            "io.pensieve.bench.A.put","thrpt",2,5,500.0,NaN,"ops/ms",100,/tmp,"other, than that"
            "io.pensieve.bench.A.bare","thrpt",1,5,1.5,0.1,"ops/ms",100,/tmp,"bare"
            """);
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    ResultTable.print("store", new PrintStream(told, true, StandardCharsets.UTF_8), results);
    assertEquals(
        """
        | | pensieve | other, than that | bare |
        |---|---|---|---|
        | A.put (ops/ms), threads 2, entries 100 | 1,501 | 500 (3.00x) |  |
        | A.bare (ops/ms), threads 1, entries 100 |  |  | 1.50 |
        """,
        told.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n"));
  }

  @Test
  void theRatiosOfAMapAreThoseToItsPeersByThreads(@TempDir Path folder) throws IOException {
    Path results =
        Files.writeString(
            folder.resolve("results.csv"),
            """
            "Benchmark","Mode","Threads","Samples","Score","Score Error (99.9%)","Unit","Param: entries","Param: keys","Param: map","Param: uses"
            "io.pensieve.bench.MapBenchmark.getHit","thrpt",1,5,50.0,7.1,"ops/us",100,numbered,pensieve,zipf
            "io.pensieve.bench.MapBenchmark.getHit","thrpt",1,5,25.0,7.1,"ops/us",100,numbered,caffeine,zipf
            "io.pensieve.bench.MapBenchmark.getHit","thrpt",8,5,60.0,7.1,"ops/us",100,numbered,pensieve,one
            "io.pensieve.bench.MapBenchmark.getHit","thrpt",8,5,20.0,7.1,"ops/us",100,numbered,caffeine,one
            "io.pensieve.bench.EvictionBenchmark.putNew","thrpt",8,5,8.0,7.1,"ops/us",1000,,pensieve,
            "io.pensieve.bench.EvictionBenchmark.putNew","thrpt",8,5,2.0,7.1,"ops/us",1000,,caffeine,
            "io.pensieve.bench.EvictionBenchmark.putNew","thrpt",8,5,9.0,7.1,"ops/us",100000,,pensieve,
            """);
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    MapRatios.print(new PrintStream(told, true, StandardCharsets.UTF_8), results);
    List<String> lines = told.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals("| Pensieve, times as much | as | 1 thread | 8 threads |", lines.get(0));
    for (String line :
        List.of(
            "| get | caffeine | 2.00 |  |",
            "| get | concurrentHashMap |  |  |",
            "| get, one hot key | caffeine |  | 3.00 |",
            "| put that evicts, 1,000 entries | caffeine |  | 4.00 |",
            "| put that evicts, 100,000 entries | caffeine |  |  |")) {
      assertTrue(lines.contains(line), () -> line + " in " + lines);
    }
  }

  @Test
  void theSlowestPutAfterAPassOfReadsIsTold() throws Exception {
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    ReadPassStalls.run(
        Map.of("entries", "3000", "rounds", "2"),
        new PrintStream(told, true, StandardCharsets.UTF_8));
    String text = told.toString(StandardCharsets.UTF_8);
    assertTrue(text.contains("3,000 entries, round 2: first put "), text);
  }

  @Test
  void aPlotIsWellFormedAndHasABarForEachResult(@TempDir Path folder) throws Exception {
    Path results =
        Files.writeString(
            folder.resolve("results.csv"),
            """
            "Benchmark","Mode","Threads","Samples","Score","Score Error (99.9%)","Unit","Param: entries","Param: map"
            "io.pensieve.bench.A.put","thrpt",1,5,50.0,7.1,"ops/us",100,"pensieve"
            "io.pensieve.bench.A.put","thrpt",1,5,25.0,NaN,"ops/us",100,"a <b> & c"
            "io.pensieve.bench.A.put","thrpt",2,5,100.0,7.1,"ops/us",100,"pensieve"
            "io.pensieve.bench.A.get","thrpt",1,5,1.5,0.1,"ops/us",,"pensieve"
            """);
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    ResultPlot.print("map", new PrintStream(told, true, StandardCharsets.UTF_8), results);
    Document plot =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(told.toByteArray()));
    assertEquals("svg", plot.getDocumentElement().getTagName());
    NodeList bars = plot.getElementsByTagName("rect");
    List<String> widths = new ArrayList<>();
    for (int i = 0; i < bars.getLength(); i++) {
      widths.add(bars.item(i).getAttributes().getNamedItem("width").getNodeValue());
    }
    // After the background; each row has a scale of its own.
    assertEquals(List.of("100%", "90.0", "45.0", "180.0", "180.0"), widths);
    String text = plot.getDocumentElement().getTextContent();
    for (String part : List.of("A.put (ops/us), entries 100", "a <b> & c", "2 threads", "25.0")) {
      assertTrue(text.contains(part), () -> part + " in " + text);
    }
  }

  @Test
  void zipfianKeysAreSkewedAndRepeatable() {
    Long[] sequence = Zipf.sequence(1000, 10_000, 1);
    assertTrue(Arrays.equals(sequence, Zipf.sequence(1000, 10_000, 1)));
    var counts =
        Arrays.stream(sequence).collect(Collectors.groupingBy(key -> key, Collectors.counting()));
    assertTrue(counts.keySet().stream().allMatch(key -> key >= 0 && key < 1000));
    long most = counts.values().stream().mapToLong(count -> count).max().orElse(0);
    // By the formula the first of 1000 has 1 / 7.7 of all.
    assertTrue(most > 1_100 && most < 1_500, () -> "the most popular came " + most + " times");
    assertTrue(counts.size() > 800, () -> "only so many keys came: " + counts.size());
  }

  private static Set<Path> filesIn(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return new HashSet<>(files.toList());
    }
  }
}
