package io.pensieve.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * What {@link DigestCache} is asked to do.
 *
 * @param folder the tree to walk
 * @param cache the folder in which digests are kept
 * @param entriesMax how many are kept at most
 * @param sums where all digests are written, if wanted
 * @param progressFiles after how many files a line of progress is printed
 */
record DigestOptions(
    Path folder, Path cache, long entriesMax, Optional<Path> sums, int progressFiles) {
  static final String HELP =
      """
      usage: DigestCache [options] <folder>

      Hashes (SHA-256) every file below a folder and keeps the digests, so that the next
      run reads only what is new or has changed in size or time. Kill it when you like:
      what was hashed stays hashed. Symbolic links are not followed.

        --cache <folder>      where the digests are kept; default ./digest-cache
        --entries <number>    how many are kept at most; default 1000000
        --sums <file>         writes all digests there, for sha256sum --check <file>
        --progress <number>   prints a line every so many files; default 10000
        --help                prints this text
      """;

  /** An argument is missing or makes no sense. */
  static final class BadArgument extends Exception {
    private static final long serialVersionUID = 1L;

    BadArgument(String message) {
      super(message);
    }
  }

  static DigestOptions parse(List<String> arguments) throws BadArgument {
    Optional<Path> folder = Optional.empty();
    Path cache = Path.of("digest-cache");
    long entriesMax = 1_000_000;
    Optional<Path> sums = Optional.empty();
    int progressFiles = 10_000;
    Deque<String> left = new ArrayDeque<>(arguments);
    while (!left.isEmpty()) {
      String argument = left.remove();
      switch (argument) {
        case "--cache" -> cache = path(valueOf(argument, left));
        case "--entries" -> entriesMax = number(argument, left, Long.MAX_VALUE);
        case "--sums" -> sums = Optional.of(path(valueOf(argument, left)));
        case "--progress" -> progressFiles = (int) number(argument, left, Integer.MAX_VALUE);
        default -> {
          if (argument.startsWith("-") || folder.isPresent()) {
            throw new BadArgument("not understood: " + argument);
          }
          folder = Optional.of(path(argument));
        }
      }
    }
    Path tree = existing(folder.orElseThrow(() -> new BadArgument("which folder?")));
    return new DigestOptions(tree, cache, entriesMax, sums, progressFiles);
  }

  private static String valueOf(String flag, Deque<String> left) throws BadArgument {
    if (left.isEmpty()) {
      throw new BadArgument(flag + " needs a value");
    }
    return left.remove();
  }

  private static Path path(String text) throws BadArgument {
    try {
      return Path.of(text).toAbsolutePath().normalize();
    } catch (InvalidPathException notAPath) {
      throw new BadArgument("not a path: " + notAPath.getMessage());
    }
  }

  // Its real path: a walk that does not follow links would end at one right away.
  private static Path existing(Path folder) throws BadArgument {
    try {
      if (Files.isDirectory(folder)) {
        return folder.toRealPath();
      }
    } catch (IOException reportedBelow) {
      // Falls through: gone between the two calls is not there either.
    }
    throw new BadArgument("not a folder: " + folder);
  }

  private static long number(String flag, Deque<String> left, long max) throws BadArgument {
    String text = valueOf(flag, left);
    try {
      long number = Long.parseLong(text);
      if (number >= 1 && number <= max) {
        return number;
      }
    } catch (NumberFormatException reportedBelow) {
      // Falls through: too small, too large and no number at all are one mistake.
    }
    throw new BadArgument(flag + " needs a whole number from 1 to " + max + ", not " + text);
  }
}
