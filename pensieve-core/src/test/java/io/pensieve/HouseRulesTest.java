package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The rules of the house, read from its sources: which room sees which, how long things may get,
 * what is not named. Each rule is also shown something that breaks it.
 */
class HouseRulesTest {
  private static final int FILE_LINES_MAX = 500;
  private static final int METHOD_LINES_MAX = 45;
  private static final int DOCUMENT_COLUMNS_MAX = 100;

  private static final Pattern TYPE =
      Pattern.compile("\\b(?:class|interface|enum|record)\\s+(\\w+)");
  private static final Pattern VAGUE_NAME =
      Pattern.compile("\\w*(?:Manager|Util|Utils|Helper|Impl|Common)");
  private static final Pattern UNFINISHED = Pattern.compile("\\b(?:TO[D]O|FIX[M]E|XX[X])\\b");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s#]*)(?:#([^)\\s]+))?[^)]*\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
  private static final Pattern TEST_SETTING =
      Pattern.compile("\"pensieve\\.(?:seed|depth|fork|ports)\"");
  private static final Pattern TOP_LEVEL =
      Pattern.compile(
          "pom\\.xml|pensieve-(?:core|server|bench)|examples|README\\.md|LICENSE|\\..+"
              + "|target|pensieve-data|.+\\.iml");

  @Test
  void roomsSeeOnlyWhatTheArrowsAllow() throws IOException {
    assertHolds(HouseRulesTest::crossedArrows);
    assertBreaks(HouseRulesTest::crossedArrows, "log/A", "import io.pensieve.lru.Order;");
    assertBreaks(HouseRulesTest::crossedArrows, "log/A", "import io.pensieve.log.file.FileLog;");
    assertBreaks(HouseRulesTest::crossedArrows, "lru/A", "import static io.pensieve.Pensieve.*;");
    assertBreaks(HouseRulesTest::crossedArrows, "server/http/A", "io.pensieve.server.peers.B b;");
    assertBreaks(HouseRulesTest::crossedArrows, "server/peers/A", "import io.pensieve.server.B;");
    assertBreaks(HouseRulesTest::crossedArrows, "log/A", "io.pensieve.@Nullable Submission s;");
    assertBreaks(HouseRulesTest::crossedArrows, "attic/A", "class A {}");
    assertKeeps(HouseRulesTest::crossedArrows, "A", "import io.pensieve.lru.Order;");
    assertKeeps(HouseRulesTest::crossedArrows, "log/A", "/** {@link io.pensieve.Pensieve} */");
  }

  private static Stream<String> crossedArrows(Source source) {
    if (!source.isMain() || source.room().isEmpty()) {
      return Stream.empty();
    }
    Set<String> seen = RoomArrows.ALL.get(source.room());
    if (seen == null) {
      return Stream.of("no arrows drawn for the room " + source.room());
    }
    return source
        .mentionedPackages()
        .filter(name -> (name + ".").startsWith("io.pensieve."))
        .filter(name -> !name.equals(source.room()) && !seen.contains(name))
        .map(name -> "sees " + name);
  }

  @Test
  void roomsHaveFewFiles() throws IOException {
    assertEquals(List.of(), crowdedRooms(Source.read(Source.ROOT, ".java")));
    Source one = Source.of("pensieve-core/src/main/java/io/pensieve/log/A.java", "class A {}");
    assertEquals(List.of(), crowdedRooms(Collections.nCopies(22, one)));
    List<String> found = crowdedRooms(Collections.nCopies(23, one));
    assertEquals(List.of("io.pensieve.log has 23 files"), found);
  }

  // The large ones may shrink. A split would make public what their classes share.
  private static int filesMax(String room) {
    return switch (room) {
      case "io.pensieve" -> 47;
      case "io.pensieve.log.file" -> 73;
      case "io.pensieve.lru" -> 37;
      case "io.pensieve.replication" -> 27;
      case "io.pensieve.server" -> 25;
      case "io.pensieve.server.http" -> 24;
      default -> 22;
    };
  }

  private static List<String> crowdedRooms(List<Source> sources) {
    Map<String, Long> files =
        sources.stream()
            .filter(Source::isMain)
            .collect(Collectors.groupingBy(Source::room, TreeMap::new, Collectors.counting()));
    List<String> crowded = new ArrayList<>();
    files.forEach(
        (room, count) -> {
          if (count > filesMax(room)) {
            crowded.add(room + " has " + count + " files");
          }
        });
    return crowded;
  }

  @Test
  void coreNeedsNothingButTheJdk() throws IOException {
    assertHolds(HouseRulesTest::strangersInCore);
    assertBreaks(HouseRulesTest::strangersInCore, "A", "import com.google.gson.Gson;");
    assertBreaks(HouseRulesTest::strangersInCore, "A", "javax.management.MBeanServer s;");
    assertKeeps(HouseRulesTest::strangersInCore, "A", "import org.jspecify.annotations.Nullable;");
    assertKeeps(HouseRulesTest::strangersInCore, "A", "String s = \"com.google.Gson\";");
  }

  private static Stream<String> strangersInCore(Source source) {
    if (!source.path().startsWith("pensieve-core/src/main/")) {
      return Stream.empty();
    }
    return source
        .mentionedPackages()
        .filter(name -> !(name + ".").matches("(?:java|io\\.pensieve|org\\.jspecify)\\..*"))
        .map(name -> "mentions " + name);
  }

  @Test
  void nobodyReachesIntoTheJdksInsides() throws IOException {
    assertHolds(HouseRulesTest::internals);
    assertBreaks(HouseRulesTest::internals, "A", "import sun.misc.Unsafe;");
    assertBreaks(HouseRulesTest::internals, "A", "jdk.internal.misc.Unsafe u;");
    assertKeeps(HouseRulesTest::internals, "A", "import com.sun.net.httpserver.HttpServer;");
  }

  private static Stream<String> internals(Source source) {
    return source
        .mentionedPackages()
        .filter(name -> (name + ".").matches("(?:sun|jdk\\.internal)\\..*"))
        .map(name -> "mentions " + name);
  }

  @Test
  void filesAndMethodsFitTheEye() throws IOException {
    assertHolds(HouseRulesTest::longFiles);
    assertBreaks(HouseRulesTest::longFiles, "A", "\n".repeat(FILE_LINES_MAX + 1));
    assertKeeps(HouseRulesTest::longFiles, "A", "\n".repeat(FILE_LINES_MAX));

    assertHolds(HouseRulesTest::longMethods);
    String fits = "class A {\n  void f() {" + "\n".repeat(METHOD_LINES_MAX - 1) + "}\n}\n";
    assertKeeps(HouseRulesTest::longMethods, "A", fits);
    assertBreaks(HouseRulesTest::longMethods, "A", fits.replace("f() {", "f()\n{"));
    assertBreaks(HouseRulesTest::longMethods, "A", fits.replace("void f()", "\n@B\n A(int i)"));
    assertKeeps(HouseRulesTest::longMethods, "A", fits.replace("void f() {", "static {"));
    assertKeeps(HouseRulesTest::longMethods, "A", fits.replace("void f()", "\nB b = new B(1)"));
    assertBreaks(HouseRulesTest::longMethods, "A", fits.replace("f() {", "f() {if (a) {\n}"));
  }

  private static Stream<String> longFiles(Source source) {
    long lines = source.text().lines().count();
    return lines > FILE_LINES_MAX ? Stream.of("has " + lines + " lines") : Stream.empty();
  }

  /** A method is a block directly inside a type that is no type, initial value or lambda itself. */
  private static Stream<String> longMethods(Source source) {
    if (!source.isMain()) {
      return Stream.empty();
    }
    List<String> found = new ArrayList<>();
    Deque<Block> open = new ArrayDeque<>();
    int headerStart = 0;
    for (int i = 0; i < source.code().length(); i++) {
      char c = source.code().charAt(i);
      if (c == '{') {
        open.push(new Block(source.code().substring(headerStart, i), headerStart, open.peek()));
      } else if (c == '}') {
        Block block = open.pop();
        int lines = block.linesUntil(i, source.code());
        if (block.isMethod() && lines > METHOD_LINES_MAX) {
          found.add("has " + lines + " lines in " + block.header().strip());
        }
      }
      headerStart = "{};".indexOf(c) >= 0 ? i + 1 : headerStart;
    }
    return found.stream();
  }

  private record Block(String header, int start, @Nullable Block outer) {
    boolean isType() {
      return TYPE.matcher(header).find() || header.matches("(?s).*=.*\\bnew\\b.*\\)\\s*");
    }

    boolean isMethod() {
      boolean isValue = header.matches("(?s).*(?:=|->|])\\s*");
      return outer != null && outer.isType() && !isType() && !isValue;
    }

    int linesUntil(int end, String code) {
      return (int) code.substring(start, end + 1).stripLeading().lines().count();
    }
  }

  @Test
  void namesSayWhatThingsAre() throws IOException {
    assertHolds(HouseRulesTest::vagueNames);
    assertBreaks(HouseRulesTest::vagueNames, "A", "final class LogManager {}");
    assertBreaks(HouseRulesTest::vagueNames, "A", "class A { private record BUtils(int i) {} }");
    assertKeeps(HouseRulesTest::vagueNames, "A", "class Implosion {} // not a class LogImpl");
  }

  private static Stream<String> vagueNames(Source source) {
    return TYPE.matcher(source.code())
        .results()
        .map(found -> found.group(1))
        .filter(name -> VAGUE_NAME.matcher(name).matches())
        .map(name -> "declares " + name);
  }

  @Test
  void nothingIsLeftForLater() throws IOException {
    assertHolds(HouseRulesTest::unfinished);
    assertBreaks(HouseRulesTest::unfinished, "A", "// TO" + "DO: later");
    assertKeeps(HouseRulesTest::unfinished, "A", "enum Order { FIRST }");
  }

  private static Stream<String> unfinished(Source source) {
    return UNFINISHED.matcher(source.text()).results().map(found -> "says " + found.group());
  }

  @Test
  void testsWithADepthAreTagged() throws IOException {
    assertHolds(HouseRulesTest::untaggedDepth);
    assertBreaks(
        HouseRulesTest::untaggedDepth, "ATest", "class ATest { int n = Depth.of(1, 2, 3); }");
    assertKeeps(
        HouseRulesTest::untaggedDepth,
        "ATest",
        "@Tag(Depth.TAG) class A { int n = Depth.of(1, 2, 3); }");
  }

  // So that -Dgroups=depth, with -Pci or -Pdeep, runs all the classes that gain by it.
  private static Stream<String> untaggedDepth(Source source) {
    boolean asks = source.code().contains("Depth.of(");
    return asks && !source.code().contains("@Tag(Depth.TAG)")
        ? Stream.of("has a depth, and no @Tag(Depth.TAG)")
        : Stream.empty();
  }

  @Test
  void oneClassReadsASettingOfTheTests() throws IOException {
    assertHolds(HouseRulesTest::ownSettings);
    assertBreaks(HouseRulesTest::ownSettings, "ATest", "Long.getLong(\"pensieve" + ".seed\", 1);");
    assertKeeps(HouseRulesTest::ownSettings, "ATest", "long seed = Seed.choose();");
    assertKeeps(HouseRulesTest::ownSettings, "testing/A", "\"pensieve" + ".depth\"");
  }

  // The seed, the depth and the ports: those of io.pensieve.testing, which all modules have.
  private static Stream<String> ownSettings(Source source) {
    return source.path().contains("/io/pensieve/testing/")
        ? Stream.empty()
        : TEST_SETTING.matcher(source.text()).results().map(found -> "reads " + found.group());
  }

  @Test
  void theTopLevelHoldsOnlyWhatANewcomerNeeds(@TempDir Path folder) throws IOException {
    assertEquals(List.of(), strayFiles(Source.ROOT));
    Files.createFile(folder.resolve("notes.txt"));
    Files.createFile(folder.resolve("README.md"));
    Files.createDirectory(folder.resolve(".ci"));
    assertEquals(List.of("notes.txt"), strayFiles(folder));
  }

  private static List<String> strayFiles(Path root) throws IOException {
    try (Stream<Path> children = Files.list(root)) {
      return children
          .map(child -> child.getFileName().toString())
          .filter(name -> !TOP_LEVEL.matcher(name).matches())
          .sorted()
          .toList();
    }
  }

  @Test
  void linksInDocumentsLeadSomewhere(@TempDir Path folder) throws IOException {
    assertEquals(List.of(), deadLinks(Source.ROOT));
    Files.writeString(
        folder.resolve("there.md"), "# A `b-c`: {d}\n[web](https://a.b/c#d) [up](#a-b-c-d)");
    Files.writeString(folder.resolve("page.md"), "[a](there.md#a-b-c-d) [b](gone.md \"title\")");
    Files.writeString(folder.resolve("stale.md"), "[a](there.md#part) [up](#top)");
    assertEquals(
        List.of(
            "page.md: gone.md is not there",
            "stale.md: #top is not there",
            "stale.md: there.md#part is not there"),
        deadLinks(folder).stream().sorted().toList());
  }

  @Test
  void eachResultOfABenchmarkIsLinked(@TempDir Path folder) throws IOException {
    assertEquals(List.of(), unlinkedResults(Source.ROOT.resolve("pensieve-bench")));
    Files.createDirectory(folder.resolve("results"));
    Files.createFile(folder.resolve("results/new.txt"));
    Files.createFile(folder.resolve("results/old.txt"));
    Files.writeString(folder.resolve("README.md"), "[old](results/old.txt) new.txt");
    assertEquals(List.of("new.txt"), unlinkedResults(folder));
  }

  // Else a newer one is easily missed.
  private static List<String> unlinkedResults(Path module) throws IOException {
    String page = Files.readString(module.resolve("README.md"));
    try (Stream<Path> results = Files.list(module.resolve("results"))) {
      return results
          .map(result -> result.getFileName().toString())
          .filter(name -> !page.contains("(results/" + name + ")"))
          .sorted()
          .toList();
    }
  }

  @Test
  void documentsFitAHundredColumns(@TempDir Path folder) throws IOException {
    assertEquals(List.of(), wideLines(Source.ROOT));
    String fits = "x".repeat(DOCUMENT_COLUMNS_MAX);
    Files.writeString(
        folder.resolve("page.md"),
        fits + "\n" + fits + "x\n```sh\n" + fits + "x\n```\n" + fits + "y");
    assertEquals(
        List.of("page.md:2 has 101 columns", "page.md:6 has 101 columns"), wideLines(folder));
  }

  // Commands stay as they are typed.
  private static List<String> wideLines(Path root) throws IOException {
    List<String> wide = new ArrayList<>();
    for (Source page : Source.read(root, ".md")) {
      boolean isCode = false;
      List<String> lines = page.text().lines().toList();
      for (int i = 0; i < lines.size(); i++) {
        int columns = lines.get(i).codePointCount(0, lines.get(i).length());
        isCode ^= lines.get(i).startsWith("```");
        if (columns > DOCUMENT_COLUMNS_MAX && !isCode) {
          wide.add(page.path() + ":" + (i + 1) + " has " + columns + " columns");
        }
      }
    }
    return wide;
  }

  private static List<String> deadLinks(Path root) throws IOException {
    List<String> dead = new ArrayList<>();
    for (Source page : Source.read(root, ".md")) {
      Path from = root.resolve(page.path());
      for (MatchResult link : LINK.matcher(page.text()).results().toList()) {
        String file = link.group(1);
        if (file.contains(":")) {
          continue;
        }
        Path to = file.isEmpty() ? from : from.resolveSibling(file);
        String heading = link.group(2);
        if (!Files.exists(to)) {
          dead.add(page.path() + ": " + file + " is not there");
        } else if (heading != null && !anchors(to).contains(heading)) {
          dead.add(page.path() + ": " + file + "#" + heading + " is not there");
        }
      }
    }
    return dead;
  }

  /** The anchors that GitHub makes of the headings in a document. */
  private static Set<String> anchors(Path document) throws IOException {
    return HEADING
        .matcher(Files.readString(document))
        .results()
        .map(heading -> heading.group(1).strip().toLowerCase(Locale.ROOT))
        .map(title -> title.replaceAll("[^\\w\\- ]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  private static void assertHolds(Function<Source, Stream<String>> rule) throws IOException {
    List<Source> sources = Source.read(Source.ROOT, ".java");
    assertTrue(sources.size() > 20, "found the sources below " + Source.ROOT);
    List<String> broken = new ArrayList<>();
    sources.forEach(
        source -> rule.apply(source).map(what -> source.path() + " " + what).forEach(broken::add));
    assertEquals(List.of(), broken);
  }

  private static void assertBreaks(
      Function<Source, Stream<String>> rule, String type, String text) {
    assertEquals(1, rule.apply(sourceOf(type, text)).count(), () -> "not noticed: " + text);
  }

  private static void assertKeeps(Function<Source, Stream<String>> rule, String type, String text) {
    assertEquals(List.of(), rule.apply(sourceOf(type, text)).toList());
  }

  private static Source sourceOf(String type, String text) {
    return Source.of("pensieve-core/src/main/java/io/pensieve/" + type + ".java", text);
  }
}
