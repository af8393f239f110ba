package io.pensieve.replication;

import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.RecentChanges;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.StandbyMap;
import io.pensieve.replication.RequestOutcome.ChangeOutcome;
import io.pensieve.replication.RequestOutcomes.Remembered;
import io.pensieve.replication.format.SavedRequest;
import io.pensieve.replication.format.SnapshotHeader;
import io.pensieve.replication.format.SnapshotReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Loads a snapshot: at the start into a map that is being opened, later into a map in use. */
final class SnapshotLoader<K, V> {
  private static final int ENTRIES_PER_PROGRESS = 1 << 14;

  private final Codec<K> keys;
  private final Codec<V> values;
  private final Acknowledgements acknowledgements;
  private final RequestOutcomes<V> requests;
  private final RecentChanges<K, V> recent;
  private final Progress progress;
  private final NewestSnapshot newest;

  SnapshotLoader(
      Codec<K> keys,
      Codec<V> values,
      Acknowledgements acknowledgements,
      RequestOutcomes<V> requests,
      RecentChanges<K, V> recent,
      Progress progress,
      NewestSnapshot newest) {
    this.keys = keys;
    this.values = values;
    this.acknowledgements = acknowledgements;
    this.requests = requests;
    this.recent = recent;
    this.progress = progress;
    this.newest = newest;
  }

  /** Loads into a map that is being opened. */
  RecoveryReport load(Path file, ReplayHandler<K, V> handler) throws IOException {
    long begun = System.nanoTime();
    try (SnapshotReader<K, V> reader = new SnapshotReader<>(file, keys, values)) {
      load(
          reader,
          entries -> {
            long stamp = 0;
            while (entries.hasNext()) {
              LiveEntry<K, V> entry = entries.next();
              handler.entry(entry.put(), entry.version(), ++stamp);
              if (stamp % ENTRIES_PER_PROGRESS == 0) {
                handler.progress(reader.bytesRead(), reader.fileBytes());
              }
            }
            handler.progress(reader.fileBytes(), reader.fileBytes());
          },
          0);
      newest.loaded(reader.header().position().index(), file);
      return new RecoveryReport(
          reader.entriesRead(),
          reader.fileBytes(),
          true,
          Optional.empty(),
          Duration.ofNanos(System.nanoTime() - begun));
    }
  }

  /** Loads into a map in use. Damage is found before the map is touched. */
  void load(Path file, StandbyMap<K, V> map) throws IOException {
    SnapshotHeader.End end = SnapshotReader.verify(file);
    try (SnapshotReader<K, V> reader = new SnapshotReader<>(file, keys, values)) {
      load(reader, map::replaceAll, end.complete());
      newest.loaded(reader.header().position().index(), file);
    }
  }

  private void load(
      SnapshotReader<K, V> reader, Consumer<Iterator<LiveEntry<K, V>>> receiver, long durable)
      throws IOException {
    ChainEnd chain = new ChainEnd(reader.header().chainTerm(), reader.header().chainLast());
    progress.restoring();
    acknowledgements.acknowledge(durable); // before the map shows what is acknowledged
    receiver.accept(new CommittedEntries(reader.entries()));
    SnapshotHeader.End end = reader.end();
    acknowledgements.acknowledge(Math.max(chain.last(), end.complete()));
    requests.replaceAll(reader.requests().stream().map(SnapshotLoader::remembered).toList());
    recent.reset(chain.last());
    progress.restored(reader.header().position(), chain, end.complete());
  }

  private static <V> Remembered<V> remembered(SavedRequest<V> saved) {
    List<ChangeOutcome<V>> changes =
        saved.changes().stream()
            .map(
                change ->
                    new ChangeOutcome<>(
                        change.version(), change.added(), change.removed(), change.value()))
            .toList();
    return new Remembered<>(saved.id(), saved.millis(), new RequestOutcome<>(changes));
  }

  // What this node had lost may have been committed after all.
  private final class CommittedEntries implements Iterator<LiveEntry<K, V>> {
    private final Iterator<LiveEntry<K, V>> entries;

    CommittedEntries(Iterator<LiveEntry<K, V>> entries) {
      this.entries = entries;
    }

    @Override
    public boolean hasNext() {
      return entries.hasNext();
    }

    @Override
    public LiveEntry<K, V> next() {
      LiveEntry<K, V> entry = entries.next();
      if (acknowledgements.isVoid(entry.version())) {
        acknowledgements.recover(entry.version());
      }
      return entry;
    }
  }
}
