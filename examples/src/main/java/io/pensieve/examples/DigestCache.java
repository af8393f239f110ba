package io.pensieve.examples;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.file.FileLog;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * Hashes every file of a tree and keeps the digests in a {@link Pensieve}, so that a second run
 * reads only what has changed, even if the first was killed in the middle. The walk itself is in
 * {@link DigestWalk}; this is the program around it.
 */
public final class DigestCache {
  private static final int BUFFER_BYTES = 64 << 10;

  private DigestCache() {}

  public static void main(String[] args) {
    int exitCode = run(List.of(args), System.out, System.err);
    System.out.flush();
    System.exit(exitCode);
  }

  /** Runs the program and returns its exit code: 0, 1 if it failed, 2 for a bad argument. */
  static int run(List<String> arguments, PrintStream out, PrintStream err) {
    if (arguments.contains("--help")) {
      out.print(DigestOptions.HELP);
      return 0;
    }
    try {
      walk(DigestOptions.parse(arguments), out);
      return 0;
    } catch (DigestOptions.BadArgument bad) {
      err.println(bad.getMessage() + " (--help explains)");
      return 2;
    } catch (LogException failed) {
      err.println("stopped: " + failed.getMessage());
      return 1;
    } catch (IOException failed) {
      err.println("stopped: " + failed);
      return 1;
    }
  }

  private static void walk(DigestOptions options, PrintStream out) throws IOException {
    FileLog<String, FileDigest> log =
        FileLog.at(options.cache(), Codec.utf8(), new FileDigest.BytesCodec());
    try (Pensieve<String, FileDigest> map =
            Pensieve.<String, FileDigest>builder()
                .maximumEntries(options.entriesMax())
                .log(log)
                .open();
        Writer sums = sumsWriter(options)) {
      out.printf("%,d digests known from before%n", map.size());
      DigestWalk walk =
          new DigestWalk(
              options, ours(options), map, DigestCache::sha256, Clock.systemUTC(), sums, out);
      Files.walkFileTree(options.folder(), walk);
      walk.printSummary();
    }
  }

  // Only now, when they exist, do their real paths.
  private static Set<Path> ours(DigestOptions options) throws IOException {
    Path cache = options.cache().toRealPath();
    return options.sums().isPresent()
        ? Set.of(cache, options.sums().get().toRealPath())
        : Set.of(cache);
  }

  private static Writer sumsWriter(DigestOptions options) throws IOException {
    return options.sums().isPresent()
        ? Files.newBufferedWriter(options.sums().get())
        : Writer.nullWriter();
  }

  private static String sha256(Path file) throws IOException {
    MessageDigest digest = newSha256();
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    try (ByteChannel channel =
        Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
      while (channel.read(buffer) >= 0) {
        digest.update(buffer.flip());
        buffer.clear();
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new AssertionError(everyJdkHasIt);
    }
  }
}
