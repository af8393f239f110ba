package io.pensieve.log.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;

/** Creates, opens and identifies files for {@link FileDisk} and the folder's lock. */
final class LocalFiles {
  private static final FileAttribute<?> OWNER_ONLY_FILE = ownerOnly("rw-------");
  private static final FileAttribute<?> OWNER_ONLY_FOLDER = ownerOnly("rwx------");

  private LocalFiles() {}

  private static FileAttribute<?> ownerOnly(String permissions) {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
  }

  /** Creates a folder to which only the owner has access. */
  static void createFolder(Path path) throws IOException {
    Files.createDirectory(path, attributes(path, OWNER_ONLY_FOLDER));
  }

  /** Opens a file, and refuses a link. Only the owner has access to a created file. */
  static FileChannel open(Path file, Set<OpenOption> options) throws IOException {
    Set<OpenOption> noLinks = new HashSet<>(options);
    noLinks.add(LinkOption.NOFOLLOW_LINKS);
    return FileChannel.open(file, noLinks, attributes(file, OWNER_ONLY_FILE));
  }

  private static FileAttribute<?>[] attributes(Path path, FileAttribute<?> ownerOnly) {
    boolean hasPermissions = path.getFileSystem().supportedFileAttributeViews().contains("posix");
    return hasPermissions ? new FileAttribute<?>[] {ownerOnly} : new FileAttribute<?>[0];
  }

  /**
   * Identifies the file, or link, at a path among all files of this system. A constant where the
   * system has no such key.
   */
  static Object key(Path file) throws IOException {
    Object key =
        Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
    return key == null ? "" : key;
  }

  /** The inode number of a file on its volume. A constant where the system has none. */
  static String inode(Path file) throws IOException {
    boolean hasInodes = file.getFileSystem().supportedFileAttributeViews().contains("unix");
    return hasInodes
        ? String.valueOf(Files.getAttribute(file, "unix:ino", LinkOption.NOFOLLOW_LINKS))
        : "-";
  }
}
