package io.pensieve.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.file.FileLog;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DigestCacheTest {
  private static final int FILES = 60;

  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);

  @Test
  void aSecondRunReadsNothing(@TempDir Path folder) throws IOException {
    Tree tree = Tree.grow(folder.resolve("tree"), FILES, 1);
    assertEquals(0, run(folder, tree));
    assertSaid("0 digests known from before", FILES + " hashed");
    assertEquals(tree.sums(), sums(folder));

    assertEquals(0, run(folder, tree));
    assertSaid(FILES + " digests known from before", FILES + " warm, 0 hashed");
    assertEquals(tree.sums(), sums(folder));
  }

  @Test
  void onlyWhatChangedIsHashedAgain(@TempDir Path folder) throws IOException {
    Tree tree = Tree.grow(folder.resolve("tree"), FILES, 2);
    run(folder, tree);
    tree.rewrite(3);
    run(folder, tree);
    assertSaid(FILES - 1 + " warm, 1 hashed");
    assertEquals(tree.sums(), sums(folder));
  }

  @Test
  void aFileThatWasJustModifiedIsHashedButNotKept(@TempDir Path folder) throws IOException {
    Tree tree = Tree.grow(folder.resolve("tree"), FILES, 3);
    Files.writeString(tree.file(0), "young");
    run(folder, tree);
    assertSaid("1 were too young");
    run(folder, tree);
    assertSaid(FILES - 1 + " warm, 1 hashed");
  }

  @Test
  void linksAreNotFollowedAndOurOwnFilesNotHashed(@TempDir Path folder) throws IOException {
    Tree tree = Tree.grow(folder.resolve("tree"), FILES, 4);
    Files.createSymbolicLink(folder.resolve("tree/link"), tree.file(0));
    Files.createSymbolicLink(folder.resolve("tree/loop"), tree.root());
    Path cache = folder.resolve("tree/cache");
    Path sums = folder.resolve("tree/sums");
    run("--cache", cache.toString(), "--sums", sums.toString(), tree.root().toString());
    assertSaid("0 warm, " + FILES + " hashed");
    assertTrue(Files.exists(cache) && Files.exists(sums), "both are in the tree");
  }

  @Test
  void aTreeLargerThanTheCacheIsToldSo(@TempDir Path folder) throws IOException {
    Tree tree = Tree.grow(folder.resolve("tree"), FILES, 5);
    String cache = folder.resolve("cache").toString();
    run("--entries", "10", "--cache", cache, tree.root().toString());
    assertSaid("More files than --entries");
    run("--entries", "10", "--cache", cache, tree.root().toString());
    assertSaid("10 digests known from before");
  }

  @Test
  void aCacheInUseIsNotTouched(@TempDir Path folder) throws IOException {
    Tree tree = Tree.grow(folder.resolve("tree"), 1, 6);
    Path cache = folder.resolve("cache");
    try (Pensieve<String, FileDigest> inUse =
        Pensieve.<String, FileDigest>builder()
            .log(FileLog.at(cache, Codec.utf8(), new FileDigest.BytesCodec()))
            .open()) {
      assertEquals(1, run("--cache", cache.toString(), tree.root().toString()));
      assertSaid("stopped: ");
      assertEquals(0, inUse.size());
    }
  }

  @Test
  void aListThatCannotBeWrittenStopsTheRun(@TempDir Path folder) throws IOException {
    Tree tree = Tree.grow(folder.resolve("tree"), 1, 7);
    String nowhere = folder.resolve("missing/sums").toString();
    String cache = folder.resolve("cache").toString();
    assertEquals(1, run("--cache", cache, "--sums", nowhere, tree.root().toString()));
    assertSaid("stopped: java.nio.file.NoSuchFileException: " + nowhere);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--nonsense .",
        ". .",
        "missing-folder",
        "--cache",
        "--entries 0 .",
        "--entries many .",
        "--progress 3000000000 ."
      })
  void badArgumentsEndWithOneLineAndTwo(String arguments) {
    assertEquals(2, run(arguments.isEmpty() ? new String[0] : arguments.split(" ")));
    assertEquals(1, said().lines().count(), said());
    assertSaid("(--help explains)");
  }

  @Test
  void helpNamesEveryFlag() {
    assertEquals(0, run("--help"));
    assertSaid("--cache", "--entries", "--sums", "--progress");
  }

  private int run(Path folder, Tree tree) {
    return run(
        "--cache",
        folder.resolve("cache").toString(),
        "--sums",
        folder.resolve("sums").toString(),
        tree.root().toString());
  }

  private int run(String... arguments) {
    said.reset();
    return DigestCache.run(List.of(arguments), out, out);
  }

  private String said() {
    return said.toString(StandardCharsets.UTF_8);
  }

  private void assertSaid(String... parts) {
    for (String part : parts) {
      Pattern whole = Pattern.compile("(?<![0-9])" + Pattern.quote(part));
      assertTrue(whole.matcher(said()).find(), () -> part + " is not in: " + said());
    }
  }

  private static List<String> sums(Path folder) throws IOException {
    try (Stream<String> lines = Files.lines(folder.resolve("sums"))) {
      return new ArrayList<>(lines.sorted().toList());
    }
  }
}
