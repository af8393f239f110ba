package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Classes use each other one way only: no class is used, over whatever corners, by one that it
 * uses. The uses are read from the sources, so that a constant counts too. A sealed type may name
 * its subtypes: {@code permits} does not count.
 */
class ClassCyclesTest {
  /** What belongs together: the uses that lead back, which do not count. */
  private static final Map<String, Set<String>> BACK =
      Map.ofEntries(
          // A type, and what its static methods make.
          Map.entry(
              "io.pensieve.log.Codec",
              Set.of(
                  "io.pensieve.log.Codecs",
                  "io.pensieve.log.RecordCodec",
                  "io.pensieve.log.SerializationCodec",
                  "io.pensieve.log.StringCodec")),
          Map.entry(
              "io.pensieve.log.Log",
              Set.of("io.pensieve.log.InMemoryLog", "io.pensieve.log.NoLog")),
          Map.entry(
              "io.pensieve.server.http.json.ProblemType",
              Set.of("io.pensieve.server.http.json.ProblemException")),
          // A builder and its product.
          Map.entry("io.pensieve.PensieveBuilder", Set.of("io.pensieve.Pensieve")),
          // A map and its views.
          Map.entry(
              "io.pensieve.ReadableMap",
              Set.of(
                  "io.pensieve.EntrySet",
                  "io.pensieve.KeySet",
                  "io.pensieve.ValuesView",
                  "io.pensieve.ViewIterator")),
          // A value, and the function that gets or returns it.
          Map.entry("io.pensieve.lru.UpdateDecision", Set.of("io.pensieve.lru.UpdateFunction")),
          Map.entry(
              "io.pensieve.server.http.json.LazyJsonWriter",
              Set.of("io.pensieve.server.http.json.FieldWriter")),
          // An entry and its timer refer to each other; the field is among those that a hit reads.
          Map.entry("io.pensieve.lru.BinLink", Set.of("io.pensieve.lru.Timer")),
          Map.entry("io.pensieve.lru.Node", Set.of("io.pensieve.lru.Timer")));

  private static final Pattern IMPORT =
      Pattern.compile("\\bimport (?:static )?((?:[a-z_][a-z0-9_]*\\.)+([A-Z]\\w*))[^;]*;");
  private static final Pattern QUALIFIED =
      Pattern.compile("(?<![\\w.])((?:[a-z_][a-z0-9_]*\\.)+[A-Z]\\w*)");
  private static final Pattern SIMPLE = Pattern.compile("(?<![\\w.])[A-Z]\\w*");
  private static final Pattern DECLARED =
      Pattern.compile("\\b(?:class|interface|enum|record)\\s+(\\w+)");
  private static final Pattern PERMITS = Pattern.compile("\\bpermits\\s[\\w.,\\s]+(?=\\{)");

  @Test
  void noClassIsUsedByOneThatItUses() throws IOException {
    Map<String, Set<String>> uses = uses(Source.read(Source.ROOT, ".java"));
    assertTrue(uses.size() > 200, () -> "found only " + uses.keySet());
    assertEquals(List.of(), cycles(without(BACK, uses)));
  }

  @Test
  void eachUseThatDoesNotCountLeadsBack() throws IOException {
    Map<String, Set<String>> uses = uses(Source.read(Source.ROOT, ".java"));
    List<String> stale = new ArrayList<>();
    BACK.forEach(
        (from, all) ->
            all.forEach(
                to -> {
                  boolean isUse = uses.getOrDefault(from, Set.of()).contains(to);
                  if (!isUse || path(uses, to, from).isEmpty()) {
                    stale.add(from + " -> " + to);
                  }
                }));
    assertEquals(List.of(), stale);
  }

  @Test
  void noticesEachKindOfUse() {
    assertEquals(List.of("a.A -> a.B -> a.A"), cyclesOf("B b;", "A a;"));
    assertEquals(List.of("a.A -> a.B -> a.A"), cyclesOf("Object b = new a.B();", "A.Inner a;"));
    assertEquals(List.of("a.A -> a.B -> a.A"), cyclesOf("int b = B.MAX;", "A<String> a;"));
    assertEquals(List.of(), cyclesOf("B b;", "/** {@link A} */ String a = \"A\"; // A"));
    assertEquals(List.of(), cyclesOf("B b;", "record A() {} A a;"));
    assertEquals(List.of(), cyclesOf("C c; } sealed interface S permits B, C {", "A a; C c;"));
    Source one = main("b", "One", "import a.Two; class One {}");
    Source two = main("a", "Two", "import static b.One.f; class Two {}");
    assertEquals(List.of("a.Two -> b.One -> a.Two"), cycles(uses(List.of(one, two))));
  }

  @Test
  void noticesACycleOverCorners() {
    Map<String, Set<String>> uses =
        Map.of("A", Set.of("B"), "B", Set.of("C", "D"), "C", Set.of("A"), "D", Set.of());
    assertEquals(List.of("A -> B -> C -> A"), cycles(uses));
    assertEquals(List.of(), cycles(without(Map.of("C", Set.of("A")), uses)));
  }

  private static List<String> cyclesOf(String a, String b) {
    return cycles(
        uses(
            List.of(
                main("a", "A", "class A {" + a + "}"),
                main("a", "B", "class B {" + b + "}"),
                main("a", "C", "class C {}"))));
  }

  private static Source main(String room, String name, String text) {
    return Source.of(
        "m/src/main/java/" + room + "/" + name + ".java", "package " + room + "; " + text);
  }

  /** For each main class, those that its file mentions. */
  private static Map<String, Set<String>> uses(List<Source> sources) {
    List<Source> main =
        sources.stream()
            .filter(Source::isMain)
            .filter(source -> !source.path().endsWith("-info.java"))
            .toList();
    Set<String> classes = main.stream().map(Source::className).collect(Collectors.toSet());
    Map<String, Set<String>> uses = new TreeMap<>();
    for (Source source : main) {
      Set<String> used = new TreeSet<>(mentioned(source, classes));
      used.remove(source.className());
      uses.put(source.className(), used);
    }
    return uses;
  }

  private static Set<String> mentioned(Source source, Set<String> classes) {
    String code = PERMITS.matcher(source.code()).replaceAll("");
    Set<String> names = new HashSet<>();
    IMPORT.matcher(code).results().map(found -> found.group(1)).forEach(names::add);
    String body = IMPORT.matcher(code).replaceAll("");
    QUALIFIED.matcher(body).results().map(MatchResult::group).forEach(names::add);
    SIMPLE
        .matcher(body)
        .results()
        .map(found -> source.room() + "." + found.group())
        .forEach(names::add);
    names.retainAll(classes);
    // A nested type hides a class of its name.
    DECLARED
        .matcher(body)
        .results()
        .map(found -> source.room() + "." + found.group(1))
        .forEach(names::remove);
    return names;
  }

  private static Map<String, Set<String>> without(
      Map<String, Set<String>> left, Map<String, Set<String>> uses) {
    Map<String, Set<String>> counted = new TreeMap<>();
    uses.forEach(
        (from, all) -> {
          Set<String> kept = new TreeSet<>(all);
          kept.removeAll(left.getOrDefault(from, Set.of()));
          counted.put(from, kept);
        });
    return counted;
  }

  /** The shortest cycle through each class that is on one, each cycle once. */
  private static List<String> cycles(Map<String, Set<String>> uses) {
    List<String> cycles = new ArrayList<>();
    Set<Set<String>> seen = new HashSet<>();
    for (String start : new TreeSet<>(uses.keySet())) {
      List<String> cycle = path(uses, start, start);
      if (!cycle.isEmpty() && seen.add(Set.copyOf(cycle))) {
        cycles.add(String.join(" -> ", cycle));
      }
    }
    return cycles;
  }

  /** The classes on a shortest way of at least one use; empty if there is none. */
  private static List<String> path(Map<String, Set<String>> uses, String from, String to) {
    Map<String, String> cameFrom = new TreeMap<>();
    Deque<String> open = new ArrayDeque<>(List.of(from));
    while (!open.isEmpty()) {
      String at = open.remove();
      for (String next : new TreeSet<>(uses.getOrDefault(at, Set.of()))) {
        boolean isNew = cameFrom.putIfAbsent(next, at) == null;
        if (next.equals(to)) {
          return way(cameFrom, from, to);
        } else if (isNew) {
          open.add(next);
        }
      }
    }
    return List.of();
  }

  private static List<String> way(Map<String, String> cameFrom, String from, String to) {
    Deque<String> way = new ArrayDeque<>(List.of(to));
    for (@Nullable String at = cameFrom.get(to); at != null; at = cameFrom.get(at)) {
      way.push(at);
      if (at.equals(from)) {
        break;
      }
    }
    return List.copyOf(way);
  }
}
