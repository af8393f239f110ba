package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.PensieveBuilder;
import io.pensieve.log.Codec;
import io.pensieve.log.Log;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Holds what the README quotes against what it quotes from. */
class ReadmeTest {
  private static final Path ROOT = Path.of(System.getProperty("pensieve.root", ".."));
  private static final Pattern JAVA = Pattern.compile("(?s)```java\n(.*?)```");
  // Flag, names in the environment, default.
  private static final Pattern SETTING =
      Pattern.compile("(?m)^\\| `(--[a-z-]+)` \\| (`PENSIEVE_[^|]+) \\| ([^|]+) \\|");
  // What to use, in the table of the API; and what is called there.
  private static final Pattern USE =
      Pattern.compile("(?m)^\\| [a-z][^|]* \\| (.*`[a-zA-Z].*) \\|$");
  private static final Pattern CALL = Pattern.compile("\\b([a-z][A-Za-z]+)\\(|`([a-z][A-Za-z]+)`");
  private static final List<Class<?>> API =
      List.of(Pensieve.class, PensieveBuilder.class, Log.class, Codec.class);
  private static final Pattern BY_THE_HEAP = Pattern.compile("\\[?by the heap.*");
  private static final Pattern FLAG = Pattern.compile("--[a-z][a-z-]+");

  @Test
  void theEmbeddingExampleIsTheProgramThatIsTested() throws IOException {
    Matcher snippet = JAVA.matcher(read("README.md"));
    assertTrue(snippet.find(), "there is an example");
    assertEquals(
        read("examples/src/main/java/io/pensieve/examples/Embedding.java"), snippet.group(1));
  }

  @Test
  void theMethodsOfTheTableExist() throws IOException {
    String section = read("pensieve-core/README.md").split("To \\| Use", 2)[1];
    Set<String> calls =
        USE.matcher(section)
            .results()
            .flatMap(row -> CALL.matcher(row.group(1)).results())
            .map(call -> call.group(1) == null ? call.group(2) : call.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    assertTrue(calls.size() >= 12, calls::toString);
    calls.removeAll(
        API.stream()
            .flatMap(type -> Stream.of(type.getMethods()))
            .map(Method::getName)
            .collect(Collectors.toSet()));
    assertEquals(Set.of(), calls, "no such methods");
  }

  @Test
  void theConfigurationIsWhatHelpSays(@TempDir Path folder) throws Exception {
    String help = help(folder);
    List<MatchResult> all = settings("pensieve-server/API.md");
    assertTrue(all.size() >= 10, () -> all.size() + " settings in API.md");
    all.forEach(setting -> assertHelpSays(setting, help));
    Set<String> described = all.stream().map(row -> row.group(1)).collect(Collectors.toSet());
    described.addAll(Set.of("--help", "--version"));
    assertEquals(
        new TreeSet<>(described),
        FLAG.matcher(help)
            .results()
            .map(MatchResult::group)
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void theSettingsOfTheReadmeExist(@TempDir Path folder) throws Exception {
    String mostUsed =
        read("README.md").split("The most used settings are", 2)[1].split("\n\n", 2)[0];
    Set<String> named =
        new TreeSet<>(FLAG.matcher(mostUsed).results().map(MatchResult::group).toList());
    assertTrue(named.size() >= 7, named::toString);
    String help = help(folder);
    named.removeIf(flag -> help.contains(" " + flag));
    assertEquals(Set.of(), named);
  }

  private static List<MatchResult> settings(String document) throws IOException {
    return SETTING.matcher(read(document)).results().toList();
  }

  private static void assertHelpSays(MatchResult setting, String help) {
    String byDefault = plain(setting.group(3));
    Pattern described =
        Pattern.compile(
            Pattern.quote("Environment: " + plain(setting.group(2)) + " Default: ")
                + (BY_THE_HEAP.matcher(byDefault).matches() ? "\\d+" : Pattern.quote(byDefault))
                + " ");
    String ofFlag = help.replaceFirst(".* " + setting.group(1) + "[\\[= ]", "");
    assertTrue(
        described.matcher(ofFlag).find(),
        () -> setting.group(1) + ": " + described + " is not in: " + help);
  }

  private static String help(Path folder) throws Exception {
    try (JavaProgram server = JavaProgram.start(io.pensieve.server.Main.class, folder, "--help")) {
      return String.join(" ", server.remainingLines()).replaceAll("\\s+", " ") + " ";
    }
  }

  private static String plain(String cell) {
    return cell.replace("`", "").strip();
  }

  private static String read(String path) throws IOException {
    return Files.readString(ROOT.resolve(path));
  }
}
