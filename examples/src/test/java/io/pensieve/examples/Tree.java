package io.pensieve.examples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** A generated tree of files whose times are long past, and what its digests must be. */
final class Tree {
  private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2020-02-02T02:02:02Z"));
  private static final int FILE_BYTES_MAX = 5_000;

  private final Path root;
  private final List<Path> files = new ArrayList<>();

  private Tree(Path root) {
    this.root = root;
  }

  static Tree grow(Path root, int files, long seed) throws IOException {
    Tree tree = new Tree(root);
    Random random = new Random(seed);
    for (int i = 0; i < files; i++) {
      Path folder = Files.createDirectories(root.resolve("folder " + i % 7));
      byte[] content = new byte[random.nextInt(FILE_BYTES_MAX)];
      random.nextBytes(content);
      Path file = Files.write(folder.resolve("file-" + i + ",=\u00e9"), content);
      Files.setLastModifiedTime(file, LONG_AGO);
      tree.files.add(file);
    }
    return tree;
  }

  Path root() {
    return root;
  }

  Path file(int index) {
    return files.get(index);
  }

  int size() {
    return files.size();
  }

  /** Gives a file other content of another size, as old as before. */
  void rewrite(int index) throws IOException {
    Files.writeString(file(index), "rewritten " + "x".repeat(FILE_BYTES_MAX));
    Files.setLastModifiedTime(file(index), LONG_AGO);
  }

  /** What {@code sha256sum} prints for all files, sorted by line. */
  List<String> sums() throws IOException {
    List<String> sums = new ArrayList<>();
    for (Path file : files) {
      sums.add(sha256(Files.readAllBytes(file)) + "  " + file);
    }
    return sums.stream().sorted().toList();
  }

  static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new AssertionError(everyJdkHasIt);
    }
  }

  static String sha256(String content) {
    return sha256(content.getBytes(StandardCharsets.UTF_8));
  }
}
