package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.LogPosition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.ratis.io.MD5Hash;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.SnapshotRetentionPolicy;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.util.MD5FileUtil;
import org.jspecify.annotations.Nullable;

/**
 * The snapshots of a member: {@code snapshot.TERM_INDEX}, each beside a file with its MD5, which
 * Ratis sends along. A snapshot counts once both files are there. The sum is written first, so the
 * rename of the snapshot is what makes it count.
 *
 * <p>Ratis replaces the whole folder when it installs a leader's snapshot. From {@link
 * #beginInstall} to {@link #reload} no snapshot of our own is put there.
 */
final class SnapshotFolder implements StateMachineStorage {
  private static final Pattern NAME = Pattern.compile("snapshot\\.(\\d+)_(\\d+)");
  private static final String SUM_SUFFIX = MD5FileUtil.MD5_SUFFIX;

  /** Guards the files and the fields. */
  private final Object lock = new Object();

  private final Path temporary;
  private @Nullable Path folder;
  private @Nullable Path incoming;
  private boolean isInstalling;

  /** The newest in place, which Ratis is told of only in its own time: see {@link #announce}. */
  private @Nullable SingleFileSnapshotInfo newest;

  private volatile @Nullable SingleFileSnapshotInfo announced;

  /**
   * @param temporary where snapshots are written before they come here; on the same file system
   */
  SnapshotFolder(Path temporary) {
    this.temporary = temporary;
  }

  /** Called once the storage is locked. */
  @Override
  public void init(RaftStorage storage) throws IOException {
    synchronized (lock) {
      Files.createDirectories(temporary);
      for (Path leftover : list(temporary)) {
        Files.delete(leftover);
      }
      folder = storage.getStorageDir().getStateMachineDir().toPath();
      incoming = storage.getStorageDir().getTmpDir().toPath();
      putBackAfterCutInstall(folder);
      newest = find();
      announced = newest;
    }
  }

  /** Ratis moves the old folder aside before it moves the new one in. */
  private static void putBackAfterCutInstall(Path folder) throws IOException {
    if (Files.exists(folder) && !list(folder).isEmpty()) {
      return;
    }
    Path parent = parentOf(folder);
    String aside = folder.getFileName() + ".tmp";
    for (Path sibling : list(parent)) {
      if (sibling.getFileName().toString().startsWith(aside)) {
        Files.deleteIfExists(folder);
        Files.move(sibling, folder);
        force(parent);
        return;
      }
    }
  }

  /** Moves a snapshot here, so that it survives a power cut. */
  void add(LogPosition position, Path file) throws IOException {
    MD5Hash sum = MD5FileUtil.computeMd5ForFile(file.toFile());
    synchronized (lock) {
      if (folder == null || isInstalling) {
        throw new IOException("a snapshot of the leader is being installed");
      }
      SingleFileSnapshotInfo last = newest;
      if (last != null && last.getIndex() >= position.index()) {
        Files.delete(file);
        return;
      }
      Path target = folder.resolve("snapshot." + position.term() + "_" + position.index());
      MD5FileUtil.saveMD5File(target.toFile(), sum);
      force(file);
      Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
      force(folder);
      newest =
          new SingleFileSnapshotInfo(new FileInfo(target, sum), position.term(), position.index());
    }
  }

  /** Forces what Ratis received, which it does not do itself, before it is moved here. */
  void beginInstall() throws IOException {
    synchronized (lock) {
      isInstalling = true;
      forceIncoming();
    }
  }

  /** Forces what Ratis has received so far, as {@link #beginInstall}. */
  void forceIncoming() throws IOException {
    synchronized (lock) {
      if (incoming != null && Files.exists(incoming)) {
        try (Stream<Path> files = Files.walk(incoming)) {
          for (Path file : files.toList()) {
            force(file);
          }
        }
      }
    }
  }

  /** The installed snapshot is in place. */
  @Nullable SingleFileSnapshotInfo reload() throws IOException {
    synchronized (lock) {
      isInstalling = false;
      newest = find();
      announced = newest;
      if (folder != null) {
        force(folder);
        force(parentOf(folder));
      }
      return newest;
    }
  }

  /** The newest in place; Ratis knows of it from now on. */
  @Nullable SingleFileSnapshotInfo announce() {
    synchronized (lock) {
      announced = newest;
      return newest;
    }
  }

  @Override
  public @Nullable SingleFileSnapshotInfo getLatestSnapshot() {
    return announced;
  }

  @Override
  public void format() {}

  @Override
  public void cleanupOldSnapshots(SnapshotRetentionPolicy policy) throws IOException {
    synchronized (lock) {
      if (folder == null || isInstalling) {
        return;
      }
      List<SingleFileSnapshotInfo> all = all(folder);
      int kept = Math.max(1, policy.getNumSnapshotsRetained());
      for (SingleFileSnapshotInfo old : all.subList(0, Math.max(0, all.size() - kept))) {
        Path file = old.getFile().getPath();
        Files.deleteIfExists(file);
        Files.deleteIfExists(sumOf(file));
      }
    }
  }

  private @Nullable SingleFileSnapshotInfo find() throws IOException {
    if (folder == null || !Files.isDirectory(folder)) {
      return null;
    }
    List<SingleFileSnapshotInfo> all = all(folder);
    return all.isEmpty() ? null : all.get(all.size() - 1);
  }

  /** The position of the newest snapshot in a folder; index -1 if there is none. */
  static LogPosition newestIn(Path folder) throws IOException {
    List<SingleFileSnapshotInfo> all = Files.isDirectory(folder) ? all(folder) : List.of();
    if (all.isEmpty()) {
      return new LogPosition(0, -1);
    }
    SnapshotInfo last = all.get(all.size() - 1);
    return new LogPosition(last.getTerm(), last.getIndex());
  }

  /** The snapshots that count, oldest first. */
  private static List<SingleFileSnapshotInfo> all(Path folder) throws IOException {
    return list(folder).stream()
        .filter(file -> NAME.matcher(file.getFileName().toString()).matches())
        .filter(file -> Files.exists(sumOf(file)))
        .map(SnapshotFolder::describe)
        .sorted(Comparator.comparing(SnapshotInfo::getTermIndex))
        .toList();
  }

  private static SingleFileSnapshotInfo describe(Path file) {
    Matcher name = NAME.matcher(file.getFileName().toString());
    if (!name.matches()) {
      throw new IllegalArgumentException(file.toString());
    }
    try {
      MD5Hash sum = MD5FileUtil.readStoredMd5ForFile(file.toFile());
      return new SingleFileSnapshotInfo(
          new FileInfo(file, sum), Long.parseLong(name.group(1)), Long.parseLong(name.group(2)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path sumOf(Path file) {
    return file.resolveSibling(file.getFileName() + SUM_SUFFIX);
  }

  private static Path parentOf(Path folder) throws IOException {
    Path parent = folder.getParent();
    if (parent == null) {
      throw new IOException("no folder above " + folder);
    }
    return parent;
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.toList();
    }
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
