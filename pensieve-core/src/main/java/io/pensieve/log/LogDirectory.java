package io.pensieve.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Names and files of a log's folder. The folder is the manifest: there is no other list. */
final class LogDirectory {
  static final String SEGMENT_SUFFIX = ".log";

  private static final String TEMPORARY_SUFFIX = ".tmp";
  private static final String TORN_INFIX = ".torn-";
  private static final String RING = "ring";
  private static final int POSITION_DIGITS = 16;

  private final Disk disk;
  private final Path folder;

  LogDirectory(Disk disk, Path folder) {
    this.disk = disk;
    this.folder = folder;
  }

  Disk disk() {
    return disk;
  }

  Path folder() {
    return folder;
  }

  /** First positions of all segments, ascending. */
  List<Long> segments() throws IOException {
    return disk.list(folder).stream()
        .map(LogDirectory::position)
        .flatMap(Optional::stream)
        .sorted()
        .toList();
  }

  private static Optional<Long> position(String name) {
    return name.matches("[0-9a-f]{" + POSITION_DIGITS + "}\\" + SEGMENT_SUFFIX)
        ? Optional.of(Long.parseUnsignedLong(name.substring(0, POSITION_DIGITS), 16))
        : Optional.empty();
  }

  /** The segment that begins at this position. */
  Path segment(long firstPosition) {
    return folder.resolve(
        String.format("%0" + POSITION_DIGITS + "x", firstPosition) + SEGMENT_SUFFIX);
  }

  Path ring() {
    return folder.resolve(RING);
  }

  boolean hasRing() throws IOException {
    return disk.list(folder).contains(RING);
  }

  /** A file that does not count until it is {@linkplain #publish published}. */
  Path temporary(String name) {
    return folder.resolve(name + TEMPORARY_SUFFIX);
  }

  /** A name that is not in use yet, for the end that is cut off this segment. */
  Path tornCopy(Path segment) throws IOException {
    List<String> names = disk.list(folder);
    int number = 1;
    while (names.contains(segment.getFileName() + TORN_INFIX + number)) {
      number++;
    }
    return folder.resolve(segment.getFileName() + TORN_INFIX + number);
  }

  /** Forces a temporary file and gives it its name: a crash finds it whole, or not at all. */
  void publish(Disk.File file, Path temporary, Path name) throws IOException {
    file.force();
    disk.rename(temporary, name);
    disk.forceDirectory(folder);
  }

  /** Deletes what an earlier process was making when it died. */
  void deleteTemporaries() throws IOException {
    for (String name : disk.list(folder)) {
      if (name.endsWith(TEMPORARY_SUFFIX)) {
        disk.delete(folder.resolve(name));
      }
    }
  }
}
