package io.pensieve.server.backup;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Unpacks a backup into a folder, strictly: it takes nothing but a whole one. */
public final class BackupExtractor {
  private static final int PIECE_BYTES = 256 << 10;

  private final InputStream archive;
  private final Path folder;
  private final byte[] piece = new byte[PIECE_BYTES];

  private BackupExtractor(InputStream archive, Path folder) {
    this.archive = archive;
    this.folder = folder;
  }

  /**
   * Unpacks and forces all files, and reads the archive to its end.
   *
   * @param folder is there, and empty
   * @return the names of the files
   * @throws IOException if this is no backup, or not all of one; or if it cannot be read or written
   */
  public static List<String> extract(InputStream archive, Path folder) throws IOException {
    List<String> names = new BackupExtractor(archive, folder).run();
    force(folder);
    return names;
  }

  private List<String> run() throws IOException {
    List<String> names = new ArrayList<>();
    while (true) {
      byte[] block = block();
      if (TarHeader.isEnd(block)) {
        requireEnd();
        if (names.isEmpty()) {
          throw new IOException("no backup: it has no file");
        }
        return names;
      }
      TarHeader header =
          TarHeader.decode(block)
              .filter(file -> BackupArchive.NAME.matcher(file.name()).matches())
              .orElseThrow(() -> new IOException("no backup: expected a file of a log in it"));
      extract(header);
      names.add(header.name());
    }
  }

  private byte[] block() throws IOException {
    byte[] block = archive.readNBytes(TarHeader.BLOCK_BYTES);
    if (block.length < TarHeader.BLOCK_BYTES) {
      throw cutOff();
    }
    return block;
  }

  private static IOException cutOff() {
    return new IOException("the backup is cut off: its end is missing");
  }

  // Some tars write more zeros.
  private void requireEnd() throws IOException {
    if (!TarHeader.isEnd(block())) {
      throw cutOff();
    }
    for (int count; (count = archive.read(piece)) >= 0; ) {
      for (int i = 0; i < count; i++) {
        if (piece[i] != 0) {
          throw new IOException("no backup: there is something behind its end");
        }
      }
    }
  }

  private void extract(TarHeader header) throws IOException {
    try (FileChannel file =
        FileChannel.open(
            folder.resolve(header.name()),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE)) {
      for (long left = header.bytes(); left > 0; ) {
        int count = archive.read(piece, 0, (int) Math.min(left, PIECE_BYTES));
        if (count < 0) {
          throw cutOff();
        }
        for (ByteBuffer bytes = ByteBuffer.wrap(piece, 0, count); bytes.hasRemaining(); ) {
          file.write(bytes);
        }
        left -= count;
      }
      file.force(true);
    } catch (FileAlreadyExistsException twice) {
      throw new IOException("no backup: a file is in it twice", twice);
    }
    int padding = TarHeader.padding(header.bytes());
    if (archive.readNBytes(padding).length < padding) {
      throw cutOff();
    }
  }

  /** Makes the names in a folder survive a power cut. */
  public static void force(Path folder) throws IOException {
    try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
      names.force(true);
    }
  }

  /** Deletes a folder and all in it, if it is there. */
  public static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
