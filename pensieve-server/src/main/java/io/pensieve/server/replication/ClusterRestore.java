package io.pensieve.server.replication;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.file.OfflineLog;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.format.EntryEncoder;
import io.pensieve.replication.format.SnapshotHeader;
import io.pensieve.replication.format.SnapshotWriter;
import io.pensieve.replication.ratis.SeededCluster;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Founds a cluster of one with the entries of a log that a single server wrote, or of a backup:
 * offline, in a new folder. The entries keep their versions.
 */
public final class ClusterRestore {
  private final Path source;
  private final Path folder;
  private final Member self;
  private final PrintStream out;

  /**
   * Reads nothing yet.
   *
   * @param source the folder of the log; is not changed
   * @param folder the folder of the node: empty, or not there yet
   * @param id the node's id
   * @param url its URL, as others will reach it
   * @param raftPort its Raft port
   */
  public ClusterRestore(
      Path source, Path folder, String id, URI url, int raftPort, PrintStream out) {
    this.source = source;
    this.folder = folder;
    this.self = new Member(id, url.getHost(), raftPort, url);
    this.out = out;
  }

  /**
   * Founds the cluster, and says what to do next. If this fails, the folder is as it was.
   *
   * @throws io.pensieve.log.LogException if the source is no sound log, or in use
   * @throws IOException if the folder is not empty, or cannot be written
   */
  public void run() throws IOException, InterruptedException {
    requireEmpty();
    Entries entries = new Entries();
    var unused = OfflineLog.read(source, entries);
    Path made = folder.resolveSibling(folder.getFileName() + ".restoring");
    delete(made); // what a restore that was cut short has left
    Files.createDirectories(made);
    try {
      SeededCluster.found(made, self, entries);
      Files.deleteIfExists(folder);
      Files.move(made, folder, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      delete(made);
    }
    out.printf("restored %d entries of %s: ", entries.live.size(), source);
    out.printf("node %s is a cluster of its own, at %s%n", self.id(), self.url());
    ClusterRecovery.printNextSteps(out, self);
  }

  private void requireEmpty() throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> children = Files.list(folder)) {
        if (children.findAny().isPresent()) {
          throw new IOException(folder + " is not empty: a restore founds a cluster of its own");
        }
      }
    }
  }

  private static void delete(Path tree) throws IOException {
    if (Files.exists(tree)) {
      try (Stream<Path> files = Files.walk(tree)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  /** The entries of the log, the least recently used first. */
  private static final class Entries implements ReplayHandler<byte[], byte[]>, SeededCluster.State {
    private final Map<ByteBuffer, LiveEntry<byte[], byte[]>> live =
        new LinkedHashMap<>(16, 0.75f, true);
    private long last; // the highest sequence

    @Override
    public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {
      last = Math.max(last, version);
      live.put(ByteBuffer.wrap(put.key()), new LiveEntry<>(put, version));
    }

    @Override
    public void change(long sequence, Change<byte[], byte[]> change) {
      last = Math.max(last, sequence);
      ByteBuffer key = ByteBuffer.wrap(change.key());
      LiveEntry<byte[], byte[]> known = live.get(key); // records the use
      boolean isStale = known != null && known.version() > sequence;
      if (isStale) {
        return;
      }
      if (change instanceof Change.Put<byte[], byte[]> put) {
        live.put(key, new LiveEntry<>(put, sequence));
      } else if (change instanceof Change.Remove<byte[], byte[]>) {
        live.remove(key);
      }
    }

    @Override
    public void progress(long bytesRead, long bytesTotal) {}

    @Override
    public byte[] firstEntry(long term) {
      return EntryEncoder.begin(term, 0);
    }

    @Override
    public void write(Path file, LogPosition position) throws IOException {
      SnapshotHeader header = new SnapshotHeader(position, position.term(), last);
      Codec<String> keys = Codec.utf8();
      Codec<StoredValue> values = StoredValue.codec();
      try (SnapshotWriter<String, StoredValue> snapshot =
          new SnapshotWriter<>(file, header, keys, values)) {
        for (LiveEntry<byte[], byte[]> entry : List.copyOf(live.values())) {
          Change.Put<byte[], byte[]> put = entry.put();
          snapshot.entry(
              new LiveEntry<>(
                  new Change.Put<>(
                      keys.decode(put.key()), values.decode(put.value()), put.expiryMillis()),
                  entry.version()));
        }
        long unused = snapshot.finish(last);
      }
    }
  }
}
