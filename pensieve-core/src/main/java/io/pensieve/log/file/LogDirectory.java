package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Names and files of a log's folder. The folder itself is the manifest: no file lists the others.
 */
final class LogDirectory {
  static final String SEGMENT_SUFFIX = ".log";
  static final String BASE_SUFFIX = ".base";

  // The names of all temporary files that a log makes. It never touches other files.
  static final String FIRST = "first";
  static final String NEXT = "next";
  static final String SPARE = "spare";
  static final String TAIL = "tail";
  static final String TORN = "torn";
  static final String BASE = "base";
  static final String COPY = "copy";
  static final String RESERVE = "reserve";
  static final String RING = "ring";

  private static final String TEMPORARY_SUFFIX = ".tmp";
  private static final Set<String> TEMPORARIES =
      Set.of(FIRST, NEXT, SPARE, TAIL, TORN, BASE, COPY, RESERVE, RING);
  private static final String TORN_INFIX = ".torn-";
  private static final String UNFINISHED = "unfinished";
  private static final int POSITION_DIGITS = 16;
  private static final String POSITION_PATTERN = "[0-9a-f]{" + POSITION_DIGITS + "}";
  private static final Pattern POSITION_NAME = Pattern.compile(POSITION_PATTERN + "\\.[a-z]+");

  private static final Pattern TORN_NAME =
      Pattern.compile(POSITION_PATTERN + "\\" + SEGMENT_SUFFIX + TORN_INFIX + "[0-9]+");

  private final Disk disk;
  private final Path folder;
  private final CodecNames codecs; // NONE accepts files of any codecs
  private final long basesBelow; // bases from here on are ignored
  private final Disk.@Nullable Folder open; // present if the folder is kept open

  LogDirectory(Disk disk, Path folder) {
    this(disk, folder, Long.MAX_VALUE, null, CodecNames.NONE);
  }

  private LogDirectory(
      Disk disk, Path folder, long basesBelow, Disk.@Nullable Folder open, CodecNames codecs) {
    this.codecs = codecs;
    this.open = open;
    this.disk = disk;
    this.folder = folder;
    this.basesBelow = basesBelow;
  }

  /** The same folder, ignoring this base and newer ones. */
  LogDirectory withoutBase(long position) {
    return new LogDirectory(disk, folder, position, open, codecs);
  }

  /** The same folder, kept open: so it can be forced when no descriptors are left. */
  LogDirectory opened() throws IOException {
    return new LogDirectory(disk, folder, basesBelow, disk.openFolder(folder), codecs);
  }

  /** Closes the folder, if it is kept open. */
  void close() throws IOException {
    if (open != null) {
      open.close();
    }
  }

  /** Returns when creations, renames and deletions in the folder survive a power cut. */
  void forceFolder() throws IOException {
    if (open == null) {
      disk.forceDirectory(folder);
    } else {
      open.force();
    }
  }

  /** The same folder, with these codecs for its files. */
  LogDirectory withCodecs(CodecNames names) {
    return new LogDirectory(disk, folder, basesBelow, open, names);
  }

  CodecNames codecs() {
    return codecs;
  }

  Disk disk() {
    return disk;
  }

  Path folder() {
    return folder;
  }

  /**
   * Creates the folder and its missing parents, so that they survive a power cut.
   *
   * <p>Each new folder's name is forced in its parent before anything is created in the new folder.
   * So among the folders found, only the lowest may have an unforced name, because its creator may
   * have died before the force. That matters only if it holds no log yet. Then forcing its parent
   * is best effort: the parent is not ours, and may be on a file system that cannot force folders.
   */
  void make() throws IOException {
    Path path = folder.toAbsolutePath();
    if (!disk.isFolder(path)) {
      makeMissing(path);
    } else if (!holdsLog()) {
      forceIfPossible(path.getParent());
    }
  }

  private void makeMissing(Path path) throws IOException {
    Path parent = path.getParent();
    if (parent == null) {
      return;
    }
    if (disk.isFolder(parent)) {
      forceIfPossible(parent.getParent());
    } else {
      makeMissing(parent);
    }
    disk.createFolder(path);
    disk.forceDirectory(parent);
  }

  private void forceIfPossible(@Nullable Path notOurs) {
    try {
      if (notOurs != null) {
        disk.forceDirectory(notOurs);
      }
    } catch (IOException cannotBeForced) {
      // The parent is read-only, access is denied, or the file system cannot force folders.
    }
  }

  /** The first positions of all segments, ascending. */
  List<Long> segments() throws IOException {
    return positions(SEGMENT_SUFFIX);
  }

  /** The positions of all bases, ascending: a base holds the history before its position. */
  List<Long> bases() throws IOException {
    return positions(BASE_SUFFIX).stream().filter(position -> position < basesBelow).toList();
  }

  private List<Long> positions(String suffix) throws IOException {
    return disk.list(folder).stream()
        .filter(name -> name.endsWith(suffix) && POSITION_NAME.matcher(name).matches())
        .map(name -> Long.parseUnsignedLong(name.substring(0, POSITION_DIGITS), 16))
        .sorted()
        .toList();
  }

  /** The path of the segment that begins at this position. */
  Path segment(long firstPosition) {
    return named(firstPosition, SEGMENT_SUFFIX);
  }

  /** The path of the base that holds the history before this position. */
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

  /** Whether the folder holds anything that recovery would read. */
  boolean holdsLog() throws IOException {
    return hasRing() || !segments().isEmpty() || !bases().isEmpty() || isUnfinished();
  }

  /** The mark of an unfinished copy. While it exists, nothing in the folder counts. */
  Path unfinished() {
    return folder.resolve(UNFINISHED);
  }

  boolean isUnfinished() throws IOException {
    return disk.list(folder).contains(UNFINISHED);
  }

  /** Throws if the folder is an unfinished copy: part of a log must not pass for the whole. */
  void checkFinished() throws IOException {
    if (isUnfinished()) {
      throw new LogException.Corrupt(
          unfinished(), 0, "no such file, but a copy that was finished", "one that was not");
    }
  }

  /** What each file is to a log whose newest base has this position. */
  List<LogFile> files(long base) throws IOException {
    List<Path> stale = before(base);
    List<LogFile> files = new ArrayList<>();
    for (String name : disk.list(folder).stream().sorted().toList()) {
      Path path = folder.resolve(name);
      files.add(new LogFile(path, stale.contains(path) ? LogFile.Kind.STALE : kind(name)));
    }
    return files;
  }

  private static LogFile.Kind kind(String name) {
    if (name.matches(POSITION_PATTERN + "\\" + SEGMENT_SUFFIX)) {
      return LogFile.Kind.SEGMENT;
    } else if (name.matches(POSITION_PATTERN + "\\" + BASE_SUFFIX)) {
      return LogFile.Kind.BASE;
    } else if (TORN_NAME.matcher(name).matches()) {
      return LogFile.Kind.TORN_END;
    } else if (isTemporary(name)) {
      return LogFile.Kind.TEMPORARY;
    }
    return switch (name) {
      case RING -> LogFile.Kind.RING;
      case UNFINISHED, FolderLock.NAME -> LogFile.Kind.MARK;
      default -> LogFile.Kind.OTHER;
    };
  }

  private static boolean isTemporary(String name) {
    return name.endsWith(TEMPORARY_SUFFIX)
        && TEMPORARIES.contains(name.substring(0, name.length() - TEMPORARY_SUFFIX.length()));
  }

  /**
   * Deletes all files that a copy of a log may have made. For a folder that was empty before the
   * copy.
   */
  void deleteCopy() throws IOException {
    for (LogFile file : files(0)) {
      if (file.kind() != LogFile.Kind.OTHER && file.kind() != LogFile.Kind.MARK) {
        disk.delete(file.path());
      }
    }
    disk.forceDirectory(folder);
  }

  /**
   * The path of a temporary file, which does not count until it is {@linkplain #publish published}.
   *
   * @param name one of the constants above
   */
  Path temporary(String name) {
    assert TEMPORARIES.contains(name) : name;
    return folder.resolve(name + TEMPORARY_SUFFIX);
  }

  /** An unused name for the torn tail of this segment. */
  Path tornCopy(Path segment) throws IOException {
    List<String> names = disk.list(folder);
    int number = 1;
    while (names.contains(segment.getFileName() + TORN_INFIX + number)) {
      number++;
    }
    return folder.resolve(segment.getFileName() + TORN_INFIX + number);
  }

  /**
   * Forces a temporary file and renames it. After a crash the file is there as a whole, or not at
   * all.
   */
  void publish(Disk.File file, Path temporary, Path name) throws IOException {
    file.force();
    disk.rename(temporary, name);
    forceFolder();
  }

  /**
   * Deletes what the base at this position replaces: older bases, then segments wholly before it,
   * oldest first. The base must already survive a power cut.
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
    // A segment ends before its successor begins. The newest has no successor, and stays.
    for (int i = 0; i + 1 < segments.size() && segments.get(i + 1) <= base; i++) {
      stale.add(segment(segments.get(i)));
    }
    return stale;
  }

  /** Deletes temporary files that a dead process left behind. */
  void deleteTemporaries() throws IOException {
    for (String name : disk.list(folder)) {
      if (isTemporary(name)) {
        disk.delete(folder.resolve(name));
      }
    }
  }
}
