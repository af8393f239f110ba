package io.pensieve.examples;

import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One walk over a tree: takes each file's digest from the map, or hashes it and keeps it there.
 * Files that cannot be read, or that change whenever they are hashed, are named and passed over. As
 * make and rsync do, it takes a file of the same size and time for the same file.
 */
final class DigestWalk extends SimpleFileVisitor<Path> {
  private static final int ATTEMPTS_MAX = 3;

  /**
   * A digest is kept only if the file had been left alone for this long: within one tick of a file
   * system's clock (2 s on FAT) a file can change again and keep both its size and its time.
   */
  private static final Duration REST_MIN = Duration.ofSeconds(2);

  private final DigestOptions options;
  private final Set<Path> ours; // our own log and list, which change while we walk
  private final Map<String, FileDigest> map;
  private final Hash hash;
  private final Clock clock;
  private final Writer sums;
  private final PrintStream out;
  private final Instant started;

  private long warm;
  private long hashed;
  private long hashedBytes;
  private long tooYoung;
  private long passedOver;

  /** Hashes a file's content. */
  @FunctionalInterface
  interface Hash {
    String of(Path file) throws IOException;
  }

  DigestWalk(
      DigestOptions options,
      Set<Path> ours,
      Map<String, FileDigest> map,
      Hash hash,
      Clock clock,
      Writer sums,
      PrintStream out) {
    this.options = options;
    this.ours = ours;
    this.map = map;
    this.hash = hash;
    this.clock = clock;
    this.sums = sums;
    this.out = out;
    this.started = clock.instant();
  }

  @Override
  public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
    // Our own log changes while we walk.
    return folder.equals(options.cache()) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
    if (attributes.isRegularFile() && !ours.contains(file)) {
      String key = keyOf(file);
      FileDigest known = map.get(key);
      if (known != null && known.isOf(attributes)) {
        warm++;
        writeSum(file, known.sha256());
      } else {
        hash(key, file, attributes);
      }
      printProgress();
    }
    return FileVisitResult.CONTINUE;
  }

  // The URI escapes a name's very bytes: two names never share one, whatever the locale.
  private static String keyOf(Path file) {
    return file.toUri().getRawPath();
  }

  private void hash(String key, Path file, BasicFileAttributes seen) throws IOException {
    BasicFileAttributes before = seen;
    for (int attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      Instant hashing = clock.instant();
      String sha256;
      BasicFileAttributes after;
      try {
        sha256 = hash.of(file);
        after = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      } catch (IOException unreadable) {
        passOver(file, unreadable.toString());
        return;
      }
      FileDigest digest = FileDigest.of(before, sha256);
      if (digest.isOf(after)) {
        keep(key, digest, Duration.between(after.lastModifiedTime().toInstant(), hashing));
        writeSum(file, sha256);
        return;
      }
      before = after;
    }
    passOver(file, "changes while it is hashed");
  }

  private void keep(String key, FileDigest digest, Duration rest) {
    hashed++;
    hashedBytes += digest.size();
    if (rest.compareTo(REST_MIN) >= 0) {
      map.put(key, digest);
    } else {
      tooYoung++;
    }
  }

  // As sha256sum writes it: a backslash in front announces an escaped name.
  private void writeSum(Path file, String sha256) throws IOException {
    String name = file.toString();
    String escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    sums.write((escaped.equals(name) ? "" : "\\") + sha256 + "  " + escaped + "\n");
  }

  private void printProgress() {
    long files = warm + hashed + passedOver;
    if (files % options.progressFiles() == 0) {
      out.printf("%,d files: %,d warm, %,d hashed%n", files, warm, hashed);
    }
  }

  @Override
  public FileVisitResult visitFileFailed(Path file, IOException unreadable) {
    passOver(file, unreadable.toString());
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException unreadable) {
    if (unreadable != null) {
      passOver(folder, unreadable.toString());
    }
    return FileVisitResult.CONTINUE;
  }

  private void passOver(Path file, String reason) {
    passedOver++;
    out.println("passed over: " + file + " (" + reason + ")");
  }

  /** Prints what became of the files. */
  void printSummary() {
    double seconds = Duration.between(started, clock.instant()).toMillis() / 1e3;
    out.printf(
        "%,d warm, %,d hashed (%,d bytes), %,d passed over, %.1f seconds%n",
        warm, hashed, hashedBytes, passedOver, seconds);
    if (tooYoung > 0) {
      out.printf("%,d were too young to keep: modified within 2 seconds%n", tooYoung);
    }
    if (warm + hashed - tooYoung > options.entriesMax()) {
      out.println(
          "More files than --entries: each digest was forgotten before it was needed again.");
    }
  }
}
