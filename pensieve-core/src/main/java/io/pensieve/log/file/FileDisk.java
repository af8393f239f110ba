package io.pensieve.log.file;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The disk of the operating system. */
final class FileDisk implements Disk {
  // On Linux. Other systems give no boot id.
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  @Override
  public boolean isFolder(Path path) {
    return Files.isDirectory(path);
  }

  @Override
  public void createFolder(Path path) throws IOException {
    try {
      LocalFiles.createFolder(path);
    } catch (FileAlreadyExistsException there) {
      if (!Files.isDirectory(path)) {
        throw there;
      }
    }
  }

  @Override
  public Disk.Lock lock(Path directory) throws IOException {
    return FolderLock.acquire(directory);
  }

  @Override
  public List<String> list(Path directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
    } catch (DirectoryIteratorException broken) {
      throw broken.getCause();
    }
    return names;
  }

  // Never opens an existing file: a link would lead to another file, and empty that one.
  @Override
  public Disk.File create(Path file) throws IOException {
    Set<OpenOption> options =
        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      return new OpenFile(LocalFiles.open(file, options));
    } catch (FileAlreadyExistsException there) {
      if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
        throw there;
      }
      Files.delete(file);
      return new OpenFile(LocalFiles.open(file, options));
    }
  }

  @Override
  public Disk.File open(Path file) throws IOException {
    return new OpenFile(
        LocalFiles.open(file, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE)));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void delete(Path file) throws IOException {
    Files.delete(file);
  }

  @Override
  public Folder openFolder(Path directory) throws IOException {
    return new OpenFolder(FileChannel.open(directory, StandardOpenOption.READ));
  }

  private record OpenFolder(FileChannel channel) implements Folder {
    @Override
    public void force() throws IOException {
      channel.force(true);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  @Override
  public long usableBytes(Path directory) throws IOException {
    long usable = directory.toFile().getUsableSpace();
    if (usable == 0 && !Files.isDirectory(directory)) {
      throw new NotDirectoryException(directory.toString());
    }
    return usable;
  }

  @Override
  public long totalBytes(Path directory) {
    return directory.toFile().getTotalSpace();
  }

  @Override
  public long boot() {
    try {
      UUID boot = UUID.fromString(Files.readString(BOOT_ID).trim());
      return boot.getMostSignificantBits() ^ boot.getLeastSignificantBits();
    } catch (IOException | IllegalArgumentException notLinux) {
      return 0;
    }
  }

  record OpenFile(FileChannel channel) implements Disk.File {
    // The JDK copies heap buffers through memory outside the heap, which the thread then keeps.
    private static final int PIECE_BYTES = 1 << 20;

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public void read(ByteBuffer into, long position) throws IOException {
      int end = into.limit();
      try {
        for (long at = position; into.position() < end; ) {
          into.limit(Math.min(end, into.position() + PIECE_BYTES));
          int read = channel.read(into, at);
          if (read < 0) {
            throw new EOFException("the file ends at " + at);
          }
          at += read;
        }
      } finally {
        into.limit(end);
      }
    }

    @Override
    public void write(ByteBuffer from, long position) throws IOException {
      int end = from.limit();
      try {
        for (long at = position; from.position() < end; ) {
          from.limit(Math.min(end, from.position() + PIECE_BYTES));
          at += channel.write(from, at);
        }
      } finally {
        from.limit(end);
      }
    }

    @Override
    public void truncate(long bytes) throws IOException {
      channel.truncate(bytes);
    }

    @Override
    public void force() throws IOException {
      channel.force(false);
    }

    @Override
    public ByteBuffer map(int bytes) throws IOException {
      return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
