package io.pensieve.log;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Names and files of a log's folder. The folder is the manifest: there is no other list. */
final class LogDirectory {
  static final String SEGMENT_SUFFIX = ".log";
  static final String BASE_SUFFIX = ".base";

  private static final String TEMPORARY_SUFFIX = ".tmp";
  private static final String TORN_INFIX = ".torn-";
  private static final String RING = "ring";
  private static final int POSITION_DIGITS = 16;
  private static final Pattern POSITION_NAME =
      Pattern.compile("[0-9a-f]{" + POSITION_DIGITS + "}\\.[a-z]+");

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

  /** Makes the folder, and those above it, so that they survive a power cut. */
  void make() throws IOException {
    make(folder.toAbsolutePath());
  }

  private void make(Path path) throws IOException {
    Path parent = path.getParent();
    if (parent == null) {
      return;
    }
    boolean isThere = disk.isFolder(path);
    if (!isThere) {
      make(parent);
      disk.createFolder(path);
    }
    try {
      // Also of a folder that is there: whoever made it may have died before this.
      disk.forceDirectory(parent);
    } catch (AccessDeniedException notMadeByUs) {
      if (!isThere) {
        throw notMadeByUs;
      }
    }
  }

  /** First positions of all segments, ascending. */
  List<Long> segments() throws IOException {
    return positions(SEGMENT_SUFFIX);
  }

  /** The positions up to which there are bases, ascending. */
  List<Long> bases() throws IOException {
    return positions(BASE_SUFFIX);
  }

  private List<Long> positions(String suffix) throws IOException {
    return disk.list(folder).stream()
        .filter(name -> name.endsWith(suffix) && POSITION_NAME.matcher(name).matches())
        .map(name -> Long.parseUnsignedLong(name.substring(0, POSITION_DIGITS), 16))
        .sorted()
        .toList();
  }

  /** The segment that begins at this position. */
  Path segment(long firstPosition) {
    return named(firstPosition, SEGMENT_SUFFIX);
  }

  /** The base that holds what lies before this position. */
  Path base(long position) {
    return named(position, BASE_SUFFIX);
  }

  private Path named(long position, String suffix) {
    return folder.resolve(String.format("%0" + POSITION_DIGITS + "x", position) + suffix);
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

  /**
   * Deletes what is older than the base at this position, which must survive a power cut: other
   * bases, then segments that lie before it as a whole, oldest first.
   */
  void deleteBefore(long base) throws IOException {
    for (Path stale : before(base)) {
      disk.delete(stale);
    }
  }

  private List<Path> before(long base) throws IOException {
    List<Path> stale = new ArrayList<>();
    bases().stream().filter(older -> older < base).map(this::base).forEach(stale::add);
    List<Long> segments = segments();
    // A segment ends before its successor begins; the newest has none, and stays.
    for (int i = 0; i + 1 < segments.size() && segments.get(i + 1) <= base; i++) {
      stale.add(segment(segments.get(i)));
    }
    return stale;
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
