package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a repository and a module system expect of the library, read from its POMs. */
class PublishableTest {
  private static String read(String path) throws IOException {
    return Files.readString(Path.of(Source.ROOT.toString(), path));
  }

  private static Set<String> found(String pattern, String in) {
    return Pattern.compile(pattern)
        .matcher(in)
        .results()
        .map(match -> match.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void theBundleExportsWhatTheModuleExports() throws IOException {
    String pom = read("pensieve-core/pom.xml");
    Set<String> exported =
        found("exports ([\\w.]+);", read("pensieve-core/src/main/java/module-info.java"));
    assertEquals(3, exported.size());
    String bundle = found("<pensieve.bundle.exports>(.*)</", pom).iterator().next();
    assertEquals(exported, found("([\\w.]+);version", bundle));
  }

  @Test
  void theBundleHasTheVersionOfTheProject() throws IOException {
    String pom = read("pensieve-core/pom.xml");
    Set<String> versions = found("<version>(0\\.[\\w.-]*)</version>", pom);
    assertEquals(1, versions.size());
    String version = versions.iterator().next().replace("-SNAPSHOT", "");
    assertEquals(Set.of(version), found(";version=\"([\\w.]+)\"", pom));
    assertEquals(Set.of(version), found("<pensieve.bundle.version>([\\w.]+)<", pom));
  }

  @Test
  void theParentHasAllThatARepositoryAsksFor() throws IOException {
    String pom = read("pom.xml");
    for (String element :
        List.of("name", "description", "url", "licenses", "developers", "scm", "inceptionYear")) {
      assertTrue(Pattern.compile("\n  <" + element + "[ >]").matcher(pom).find(), element);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pensieve-core",
        "pensieve-server",
        "pensieve-server/replication",
        "pensieve-bench",
        "examples"
      })
  void eachModuleHasANameAndADescriptionAndTheParentsVersion(String module) throws IOException {
    String pom = read(module + "/pom.xml");
    assertTrue(pom.contains("\n  <name>"));
    assertTrue(pom.contains("\n  <description>"));
    assertEquals(
        Stream.of(read("pom.xml"))
            .flatMap(text -> Pattern.compile("<version>(0\\.[^<]*)").matcher(text).results())
            .map(MatchResult::group)
            .findFirst(),
        Pattern.compile("<version>(0\\.[^<]*)")
            .matcher(pom)
            .results()
            .map(MatchResult::group)
            .findFirst());
  }
}
