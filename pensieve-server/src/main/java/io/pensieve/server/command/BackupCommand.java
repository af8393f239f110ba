package io.pensieve.server.command;

import io.pensieve.server.client.UnreachableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Saves a copy of a running server's log. The file has its name only when it is whole and on the
 * disk.
 */
final class BackupCommand implements Command {
  private static final String FORCE = "--force";
  private static final String STANDARD_OUTPUT = "-";
  // The server copies its log before it answers: some 60 MB a second.
  private static final Duration PATIENCE = Duration.ofHours(2);
  private static final int PIECE_BYTES = 256 << 10;
  private static final int END_BYTES = 1024; // a tar ends with as many zeros

  @Override
  public String name() {
    return "backup";
  }

  @Override
  public CommandSpec spec() {
    return Options.command(
            "Saves a copy of a running server's log, as a tar archive.",
            "It has everything that was acknowledged before, in the order of use, and opens by"
                + " restore. If it breaks off, there is no file.")
        .addPositional(Options.argument(0, "FILE", "A new file; - for the output."))
        .addOption(Options.flag(FORCE, "Replace the file if it is there."));
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    String file = session.positional(0);
    if (file.equals(STANDARD_OUTPUT)) {
      if (session.isJson()) {
        throw new UsageException("the output takes the backup, so it cannot take JSON as well");
      }
      long unused = transfer(session, session.out());
      return ExitCode.DONE;
    }
    Path target = path(file);
    boolean isForced = session.has(FORCE);
    if (!isForced && Files.exists(target)) {
      throw isThere(file);
    }
    long bytes = save(session, target, isForced);
    if (session.isJson()) {
      session.json("bytes", bytes);
    }
    return ExitCode.DONE;
  }

  private static Path path(String file) {
    try {
      return Path.of(file).toAbsolutePath();
    } catch (InvalidPathException noPath) {
      throw new UsageException(file + " is no name of a file");
    }
  }

  private static UsageException isThere(String file) {
    return new UsageException(file + " is there already; " + FORCE + " replaces it");
  }

  private static long save(Session session, Path target, boolean isForced)
      throws IOException, InterruptedException {
    Path temporary = temporary(target);
    try {
      long bytes;
      try (FileChannel file = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        bytes = transfer(session, Channels.newOutputStream(file));
        file.force(true);
      }
      if (isForced) {
        Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
      } else {
        Files.move(temporary, target);
      }
      return bytes;
    } catch (FileAlreadyExistsException meanwhile) {
      throw isThere(target.toString());
    } finally {
      boolean unused = Files.deleteIfExists(temporary);
    }
  }

  // Beside the file, so that it can be renamed. Only its owner may read it.
  private static Path temporary(Path target) {
    try {
      return Files.createTempFile(target.getParent(), ".pensieve-backup", ".part");
    } catch (IOException | RuntimeException unwritable) {
      throw new UsageException("cannot write to the folder of " + target);
    }
  }

  private static long transfer(Session session, OutputStream to)
      throws IOException, InterruptedException {
    HttpResponse<InputStream> response =
        session.client().send(session.client().request("/v1/backup").timeout(PATIENCE));
    long total = response.headers().firstValueAsLong("Content-Length").orElse(0);
    Progress progress = Progress.on(session, "saved", total);
    byte[] piece = new byte[PIECE_BYTES];
    long bytes = 0;
    long zeros = 0; // at the end, so far
    try (InputStream body = response.body()) {
      for (int count; (count = read(body, piece)) >= 0; ) {
        write(to, piece, count);
        bytes += count;
        zeros = zerosAtTheEnd(piece, count, zeros);
        progress.show(bytes);
      }
    }
    to.flush();
    if (bytes < total || zeros < END_BYTES) {
      throw brokenOff(new IOException("cut off after " + bytes + " bytes"));
    }
    progress.end(bytes);
    return bytes;
  }

  private static int read(InputStream body, byte[] piece) throws UnreachableException {
    try {
      return body.read(piece);
    } catch (IOException broken) {
      throw brokenOff(broken);
    }
  }

  private static UnreachableException brokenOff(IOException cause) {
    return new UnreachableException("the backup broke off: " + cause.getMessage(), cause);
  }

  private static void write(OutputStream to, byte[] piece, int count) {
    try {
      to.write(piece, 0, count);
    } catch (IOException full) {
      throw new UsageException("cannot write the backup: " + full.getMessage());
    }
  }

  private static long zerosAtTheEnd(byte[] piece, int count, long before) {
    int zeros = 0;
    while (zeros < count && piece[count - 1 - zeros] == 0) {
      zeros++;
    }
    return zeros == count ? before + zeros : zeros;
  }
}
