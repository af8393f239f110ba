package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.Founding;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.raftlog.segmented.LogSegment;
import org.apache.ratis.server.raftlog.segmented.LogSegmentPath;
import org.apache.ratis.util.SizeInBytes;
import org.jspecify.annotations.Nullable;

/**
 * The one member that is left of a cluster whose majority is lost for good. It becomes the only
 * member of a new cluster, with all that it has. Offline: the member must not run.
 */
public final class Survivor {
  private static final SizeInBytes ENTRY_BYTES_MAX = SizeInBytes.valueOf(1 << 30);

  private Survivor() {}

  /**
   * Makes a new cluster of a member. May be called again if it was cut short.
   *
   * @param folder the member's folder
   * @param self the member
   * @return the last entry that it has: what was acknowledged after that is lost. Entries before it
   *     that were not committed are kept
   * @throws IOException if the member runs, has no data, or its log is damaged
   */
  public static LogPosition becomeCluster(Path folder, Member self) throws IOException {
    Founding founding = Founding.at(folder, self.id());
    Path raft = folder.resolve("raft");
    Path old = groupFolder(raft);
    LogPosition last;
    try (FileChannel channel =
            FileChannel.open(
                old.resolve("in_use.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = tryLock(channel)) {
      if (lock == null) {
        throw new IOException("this node runs: stop it first");
      }
      last = lastEntry(old);
      writeMembers(old.resolve("current"), self, last);
    }
    UUID cluster = UUID.randomUUID();
    Files.move(old, raft.resolve(cluster.toString()), StandardCopyOption.ATOMIC_MOVE);
    Files.writeString(raft.resolve(cluster + ".started"), "");
    founding.refound(cluster);
    return last;
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException inThisProcess) {
      return null;
    }
  }

  private static Path groupFolder(Path raft) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> children = Files.list(raft)) {
      children.filter(Files::isDirectory).forEach(found::add);
    }
    if (found.size() != 1) {
      throw new IOException(
          "expected the data of one cluster in " + raft + ", found " + found.size());
    }
    return found.get(0);
  }

  private static LogPosition lastEntry(Path group) throws IOException {
    List<LogSegmentPath> segments = new ArrayList<>();
    try (Stream<Path> files = Files.list(group.resolve("current"))) {
      for (Path file : files.toList()) {
        LogSegmentPath segment = LogSegmentPath.matchLogSegment(file);
        if (segment != null) {
          segments.add(segment);
        }
      }
    }
    LogPosition last = SnapshotFolder.newestIn(group.resolve("sm"));
    for (LogSegmentPath segment : segments) {
      LogPosition end = lastEntry(segment);
      last = end.index() > last.index() ? end : last;
    }
    return last;
  }

  private static LogPosition lastEntry(LogSegmentPath segment) throws IOException {
    LogPosition[] last = {new LogPosition(0, -1)};
    int unused =
        LogSegment.readSegmentFile(
            segment.getPath().toFile(),
            segment.getStartEnd(),
            ENTRY_BYTES_MAX,
            RaftServerConfigKeys.Log.CorruptionPolicy.EXCEPTION,
            null,
            entry -> last[0] = new LogPosition(entry.getTerm(), entry.getIndex()));
    return last[0];
  }

  /**
   * The list counts as that of the entry after the last one: the newest that Ratis finds counts.
   * The member then leads, and appends the same list there.
   */
  private static void writeMembers(Path current, Member self, LogPosition last) throws IOException {
    LogEntryProto entry =
        LogEntryProto.newBuilder()
            .setTerm(last.term())
            .setIndex(last.index() + 1)
            .setConfigurationEntry(
                RaftConfigurationProto.newBuilder().addPeers(Peers.of(self).getRaftPeerProto()))
            .build();
    Path made = current.resolve("raft-meta.conf.new");
    try (FileChannel file =
        FileChannel.open(
            made,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(entry.toByteArray());
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
      file.force(true);
    }
    Files.move(made, current.resolve("raft-meta.conf"), StandardCopyOption.ATOMIC_MOVE);
  }
}
