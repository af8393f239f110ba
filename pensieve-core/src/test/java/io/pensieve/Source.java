package io.pensieve;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file of this repository, for rules about sources.
 *
 * @param path its path below the root, with forward slashes
 * @param text its text
 * @param code its text with blanks in place of comments and literals
 */
record Source(String path, String text, String code) {
  static final Path ROOT =
      Path.of(System.getProperty("pensieve.root", "..")).toAbsolutePath().normalize();

  private static final Map<String, List<Source>> OF_REPOSITORY = new HashMap<>();

  private static final Pattern COMMENT_OR_LITERAL =
      Pattern.compile(
          "//[^\n]*|(?s:/\\*.*?\\*/)|\"\"\"(?s:.*?)(?<!\\\\)\"\"\""
              + "|\"(?:\\\\.|[^\"\\\\\n])*+\"|'(?:\\\\.|[^'\\\\\n])*+'");
  // An import, or a qualified name in code; packages are in small letters, types are not.
  private static final Pattern MENTION =
      Pattern.compile(
          "(?:\\bimport (?:static )?|(?<![\\w.])(?=(?:java|javax|jdk|sun|com|org|net|io)\\.))"
              + "([a-z_][a-z0-9_]*(?:\\.[a-z_][a-z0-9_]*)*)\\.(?:[A-Z@]|\\*)");

  static Source of(String path, String text) {
    return new Source(path, text, COMMENT_OR_LITERAL.matcher(text).replaceAll(Source::blank));
  }

  // Line breaks stay, so that lines can be counted.
  private static String blank(MatchResult match) {
    return match.group().replaceAll("[^\n]", " ");
  }

  boolean isMain() {
    return path.contains("src/main/java/");
  }

  String room() {
    String folder = path.substring(path.indexOf("/java/") + 6);
    int end = folder.lastIndexOf('/');
    return end < 0 ? "" : folder.substring(0, end).replace('/', '.');
  }

  /** The name of the class that the file is named after. */
  String className() {
    String name = path.substring(path.lastIndexOf('/') + 1, path.length() - ".java".length());
    return room().isEmpty() ? name : room() + "." + name;
  }

  Stream<String> mentionedPackages() {
    return MENTION.matcher(code).results().map(found -> found.group(1)).distinct();
  }

  /** Reads all files below this folder whose names end so, but those that a build made. */
  static List<Source> read(Path root, String suffix) throws IOException {
    if (!root.equals(ROOT)) {
      return readAll(root, suffix);
    }
    synchronized (OF_REPOSITORY) { // each rule asks for them again
      List<Source> known = OF_REPOSITORY.get(suffix);
      if (known == null) {
        known = List.copyOf(readAll(root, suffix));
        OF_REPOSITORY.put(suffix, known);
      }
      return known;
    }
  }

  private static List<Source> readAll(Path root, String suffix) throws IOException {
    List<Source> sources = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            String name = folder.getFileName().toString();
            boolean ours = folder.equals(root) || !(name.startsWith(".") || name.equals("target"));
            return ours ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (file.toString().endsWith(suffix)) {
              String path = root.relativize(file).toString().replace('\\', '/');
              sources.add(Source.of(path, Files.readString(file)));
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return sources;
  }
}
