package io.pensieve.replication;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.file.FileLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Copies the map to the folder of a {@link FileLog}, which a single node opens as it is. The rule
 * is that of {@link Snapshots}: a copy counts if all that it may have is committed, and if nothing
 * was undone or replaced meanwhile. Otherwise it is made again.
 */
final class LogBackup<K, V> {
  private static final int TRIES = 20;

  private final Codec<K> keys;
  private final Codec<V> values;
  private final LiveEntries<K, V> live;
  private final Leadership<K, V> leadership;
  private final Acknowledgements acknowledgements;
  private final Progress progress;

  LogBackup(
      Codec<K> keys,
      Codec<V> values,
      LiveEntries<K, V> live,
      Leadership<K, V> leadership,
      Acknowledgements acknowledgements,
      Progress progress) {
    this.keys = keys;
    this.values = values;
    this.live = live;
    this.leadership = leadership;
    this.acknowledgements = acknowledgements;
    this.progress = progress;
  }

  /** Copies all that this node has. Leaves nothing behind if that fails. */
  void write(Path folder) {
    live.checkNotWithinFunction();
    requireEmpty(folder);
    boolean written = false;
    try {
      for (int i = 0; i < TRIES && !written; i++) {
        deleteFiles(folder);
        written = tryWrite(folder);
      }
    } finally {
      if (!written) {
        deleteFiles(folder);
      }
    }
    if (!written) {
      throw new LogException.OutcomeUnknown(
          "no backup: this node has lost the leadership again and again, or is catching up");
    }
  }

  private boolean tryWrite(Path folder) {
    long upheavals = progress.upheavals();
    boolean isStable = upheavals % 2 == 0 && progress.isComplete();
    if (!isStable) {
      return false;
    }
    try (FileLog<K, V> copy = FileLog.at(folder, keys, values)) {
      var unused = copy.replay(new Nothing<>());
      Iterator<LiveEntry<K, V>> entries = live.walk().coldestFirst();
      while (entries.hasNext()) {
        long unusedSequence = copy.append(entries.next().put());
        copy.throttle();
      }
    }
    try {
      acknowledgements.await(Math.max(leadership.lastGiven(), acknowledgements.durable()));
    } catch (LogException.OutcomeUnknown lostLead) {
      return false;
    }
    return progress.upheavals() == upheavals;
  }

  private static void requireEmpty(Path folder) {
    if (!files(folder).isEmpty()) {
      throw new IllegalArgumentException("not empty: " + folder);
    }
  }

  private static void deleteFiles(Path folder) {
    for (Path file : files(folder)) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException left) {
        throw new UncheckedIOException(left);
      }
    }
  }

  private static List<Path> files(Path folder) {
    if (!Files.exists(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> !file.equals(folder)).sorted(Comparator.reverseOrder()).toList();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private static final class Nothing<K, V> implements ReplayHandler<K, V> {
    @Override
    public void change(long sequence, Change<K, V> change) {}

    @Override
    public void entry(Change.Put<K, V> put, long version, long stamp) {}

    @Override
    public void progress(long bytesRead, long bytesTotal) {}
  }
}
