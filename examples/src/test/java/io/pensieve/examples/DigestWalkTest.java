package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DigestWalkTest {
  // Far from now, so that files that the tests write are old.
  private static final Clock LATER =
      Clock.fixed(Instant.parse("2100-01-01T00:00:00Z"), ZoneOffset.UTC);

  private final Map<String, FileDigest> map = new HashMap<>();
  private final StringWriter sums = new StringWriter();
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();

  @Test
  void aFileThatChangesOnceWhileItIsHashedIsHashedAgain(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "before");
    walk(
        folder,
        hashed -> {
          String sha256 = Tree.sha256(Files.readString(hashed));
          if (Files.size(file) == "before".length()) {
            Files.writeString(file, " and after", StandardOpenOption.APPEND);
          }
          return sha256;
        });
    String expected = Tree.sha256("before and after");
    assertEquals(expected + "  " + file + "\n", sums.toString());
    assertEquals(List.of(expected), map.values().stream().map(FileDigest::sha256).toList());
  }

  @Test
  void aFileThatNeverRestsIsNamedAndNotKept(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    walk(
        folder,
        hashed -> {
          Files.writeString(file, "more", StandardOpenOption.APPEND);
          return Tree.sha256("whatever");
        });
    assertSaid("passed over: " + file + " (changes", "0 hashed", "1 passed over");
    assertEquals(Map.of(), map);
    assertEquals("", sums.toString());
  }

  @Test
  void aFileThatCannotBeReadIsNamedAndTheOthersAreHashed(@TempDir Path folder) throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), "");
    Files.writeString(folder.resolve("open"), "");
    walk(
        folder,
        hashed -> {
          if (hashed.equals(secret)) {
            throw new AccessDeniedException(hashed.toString());
          }
          return Tree.sha256("");
        });
    assertSaid("passed over: " + secret + " (java.nio.file.AccessDenied", "1 hashed", "1 passed");
  }

  @Test
  void aNameWithALineBreakIsEscapedAsSha256sumDoes(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("a\nb\\c"), "");
    walk(folder, hashed -> Tree.sha256(""));
    String name = file.toString().replace("\\", "\\\\").replace("\n", "\\n");
    assertEquals("\\" + Tree.sha256("") + "  " + name + "\n", sums.toString());
  }

  @Test
  void aDigestSurvivesItsCodec() {
    FileDigest digest = new FileDigest(Long.MAX_VALUE, -1, Tree.sha256("a"));
    FileDigest.BytesCodec codec = new FileDigest.BytesCodec();
    assertEquals(digest, codec.decode(codec.encode(digest)));
    assertThrows(IllegalArgumentException.class, () -> codec.decode(new byte[47]));
  }

  private void walk(Path folder, DigestWalk.Hash hash) throws Exception {
    DigestOptions options =
        DigestOptions.parse(List.of("--cache", folder + "-cache", folder.toString()));
    try (PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8)) {
      DigestWalk walk = new DigestWalk(options, Set.of(), map, hash, LATER, sums, out);
      Files.walkFileTree(options.folder(), walk);
      walk.printSummary();
    }
  }

  private void assertSaid(String... parts) throws IOException {
    String all = said.toString(StandardCharsets.UTF_8);
    for (String part : parts) {
      assertTrue(all.contains(part), () -> part + " is not in: " + all);
    }
  }
}
