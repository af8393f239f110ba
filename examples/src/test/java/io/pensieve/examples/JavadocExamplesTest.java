package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples in the library's Javadoc are compiled as they are. */
class JavadocExamplesTest {
  private static final Path ROOT = Path.of(System.getProperty("pensieve.root", ".."));
  private static final Pattern EXAMPLE = Pattern.compile("(?s)<pre>\\{@code\n(.*?)\\}</pre>");

  // What an example may use without a word.
  private static final String BEFORE =
      """
      import io.pensieve.*;
      import io.pensieve.log.*;
      import io.pensieve.log.file.*;
      import java.nio.file.Path;
      import java.time.*;
      import java.util.*;

      final class Example%d {
        interface Service {
          String ask(String question);

          Map<String, String> askAll(Set<String> questions);
        }

        static Path directory, folder;
        static Pensieve<String, String> map;
        static Versioned<String> seen;
        static NumberCodec<String> codec;
        static Service service;

        static void run() {
      """;

  /** A source in memory. */
  private static final class Example extends SimpleJavaFileObject {
    private final String text;

    Example(int number, String statements) {
      super(URI.create("memory:///Example" + number + ".java"), Kind.SOURCE);
      this.text = BEFORE.formatted(number) + statements + "}}";
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  @Test
  void everyExampleCompiles(@TempDir Path classes) throws IOException {
    List<Example> examples = new ArrayList<>();
    for (String text : sources()) {
      EXAMPLE
          .matcher(text)
          .results()
          .forEach(
              found ->
                  examples.add(
                      new Example(examples.size(), found.group(1).replaceAll("(?m)^ *\\* ?", ""))));
    }
    assertTrue(examples.size() >= 9, () -> "found " + examples.size());
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter told = new StringWriter();
    List<String> options =
        List.of(
            "-proc:none", "-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
    Iterable<? extends JavaFileObject> units = examples;
    boolean compiled = compiler.getTask(told, null, null, options, null, units).call();
    assertEquals("", told.toString());
    assertTrue(compiled);
  }

  private static List<String> sources() throws IOException {
    Path main = ROOT.resolve("pensieve-core/src/main/java");
    try (Stream<Path> files = Files.walk(main)) {
      List<String> texts = new ArrayList<>();
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
        texts.add(Files.readString(file));
      }
      return texts;
    }
  }
}
