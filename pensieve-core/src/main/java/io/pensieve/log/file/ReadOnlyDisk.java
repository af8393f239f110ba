package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;

/** The operating system's disk, limited to operations that change nothing. */
final class ReadOnlyDisk implements Disk {
  private final FileDisk disk = new FileDisk();

  @Override
  public boolean isFolder(Path path) {
    return disk.isFolder(path);
  }

  @Override
  public List<String> list(Path directory) throws IOException {
    return disk.list(directory);
  }

  @Override
  public Disk.File open(Path file) throws IOException {
    return new FileDisk.OpenFile(LocalFiles.open(file, Set.of(StandardOpenOption.READ)));
  }

  @Override
  public long usableBytes(Path directory) throws IOException {
    return disk.usableBytes(directory);
  }

  @Override
  public long totalBytes(Path directory) {
    return disk.totalBytes(directory);
  }

  @Override
  public long boot() {
    return disk.boot();
  }

  @Override
  public Disk.Lock lock(Path directory) {
    throw refused();
  }

  @Override
  public void createFolder(Path directory) {
    throw refused();
  }

  @Override
  public Disk.File create(Path file) {
    throw refused();
  }

  @Override
  public void rename(Path from, Path to) {
    throw refused();
  }

  @Override
  public void delete(Path file) {
    throw refused();
  }

  @Override
  public Folder openFolder(Path directory) {
    throw refused();
  }

  private static UnsupportedOperationException refused() {
    return new UnsupportedOperationException("this disk is only read");
  }
}
