package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.Founding;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.raftlog.segmented.LogSegment;
import org.apache.ratis.server.raftlog.segmented.LogSegmentPath;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
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
   * What a member has.
   *
   * @param cluster the id of its cluster
   * @param last its last entry: of several survivors the one with the highest term has most, and of
   *     those the one with the highest index
   * @param written when it last wrote to its log
   */
  public record Remains(UUID cluster, LogPosition last, Instant written) {}

  /**
   * Looks at what a member has, and changes nothing.
   *
   * @param folder the member's folder
   * @param entries receives each entry that its log still has, the oldest first
   * @throws IOException if the member runs, has no data, or its log is damaged
   */
  public static Remains look(Path folder, Consumer<byte[]> entries) throws IOException {
    Path group = groupFolder(folder.resolve("raft"));
    try (Held held = Held.of(group)) {
      LogPosition last = SnapshotFolder.newestIn(group.resolve("sm"));
      Instant written = Instant.EPOCH;
      for (LogSegmentPath segment : segments(held.current())) {
        LogPosition end = read(segment, entries);
        last = end.index() > last.index() ? end : last;
        Instant changed = Files.getLastModifiedTime(segment.getPath()).toInstant();
        written = changed.isAfter(written) ? changed : written;
      }
      return new Remains(clusterOf(group), last, written);
    }
  }

  private static UUID clusterOf(Path group) throws IOException {
    try {
      return UUID.fromString(String.valueOf(group.getFileName()));
    } catch (IllegalArgumentException stranger) {
      throw new IOException("expected the data of a cluster, found " + group, stranger);
    }
  }

  /** A member's data, which no other process has. */
  private record Held(Path current, FileChannel channel, FileLock lock) implements Closeable {
    static Held of(Path group) throws IOException {
      FileChannel channel =
          FileChannel.open(
              group.resolve("in_use.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = tryLock(channel);
      if (lock == null) {
        channel.close();
        throw new IOException("this node runs: stop it first");
      }
      return new Held(group.resolve("current"), channel, lock);
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
      try {
        return channel.tryLock();
      } catch (OverlappingFileLockException inThisProcess) {
        return null;
      }
    }

    @Override
    public void close() throws IOException {
      lock.close();
      channel.close();
    }
  }

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
    Path raft = folder.resolve("raft");
    Path old = groupFolder(raft);
    Founding founding = Founding.at(folder, self.id());
    LogPosition last = look(folder, entry -> {}).last();
    try (Held held = Held.of(old)) {
      writeMembers(held.current(), self, last);
    }
    UUID cluster = UUID.randomUUID();
    Files.move(old, raft.resolve(cluster.toString()), StandardCopyOption.ATOMIC_MOVE);
    Files.writeString(raft.resolve(cluster + ".started"), "");
    founding.refound(cluster);
    return last;
  }

  private static Path groupFolder(Path raft) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> children = Files.list(raft)) {
      children.filter(Files::isDirectory).forEach(found::add);
    }
    if (found.isEmpty()) {
      throw new IOException(raft + " has no data of a cluster: this node was never in one");
    }
    if (found.size() > 1) {
      throw new IOException(
          "expected the data of one cluster in " + raft + ", found " + found.size());
    }
    return found.get(0);
  }

  private static List<LogSegmentPath> segments(Path current) throws IOException {
    List<LogSegmentPath> segments = new ArrayList<>();
    try (Stream<Path> files = Files.list(current)) {
      for (Path file : files.toList()) {
        LogSegmentPath segment = LogSegmentPath.matchLogSegment(file);
        if (segment != null) {
          segments.add(segment);
        }
      }
    }
    segments.sort(Comparator.comparing(LogSegmentPath::getStartEnd));
    return segments;
  }

  private static LogPosition read(LogSegmentPath segment, Consumer<byte[]> entries)
      throws IOException {
    LogPosition[] last = {new LogPosition(0, -1)};
    int unused =
        LogSegment.readSegmentFile(
            segment.getPath().toFile(),
            segment.getStartEnd(),
            ENTRY_BYTES_MAX,
            RaftServerConfigKeys.Log.CorruptionPolicy.EXCEPTION,
            null,
            entry -> {
              last[0] = new LogPosition(entry.getTerm(), entry.getIndex());
              ByteString content = entry.getStateMachineLogEntry().getLogData();
              if (!content.isEmpty()) { // an empty one is a leader's barrier, or Ratis' own
                entries.accept(content.toByteArray());
              }
            });
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
                RaftConfigurationProto.newBuilder()
                    .addPeers(RatisPeers.of(self).getRaftPeerProto()))
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
