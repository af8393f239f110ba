package io.pensieve.replication;

import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import io.pensieve.replication.Progress.Applied;
import io.pensieve.replication.RequestOutcomes.Remembered;
import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.format.SavedRequest;
import io.pensieve.replication.format.SavedRequest.SavedChange;
import io.pensieve.replication.format.SnapshotHeader;
import io.pensieve.replication.format.SnapshotWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Writes snapshots from a walk over the map, while it is in use.
 *
 * <p>The walk sees all that was applied before it began: the position that the file claims. It may
 * also see changes that came later, on a leader also uncommitted ones. So the file counts only when
 * everything that was given a number before the end of the walk is committed, and if nothing was
 * undone or replaced since before its begin. Otherwise a change that is lost could become the begin
 * of history.
 */
final class Snapshots<K, V> {
  /**
   * A file that may count.
   *
   * @param complete the number up to which everything must be committed
   * @param upheavals those at its begin; if there is another one, it does not count
   * @param changes the changes that were applied before it, since the start of this process
   * @param bytes their bytes
   */
  record Draft(
      Path file,
      Applied at,
      long complete,
      long upheavals,
      long fileBytes,
      long changes,
      long bytes) {}

  private final RaftSettings settings;
  private final Codec<K> keys;
  private final Codec<V> values;
  private final Consensus consensus;
  private final LiveEntries<K, V> live;
  private final Leadership<K, V> leadership;
  private final Acknowledgements acknowledgements;
  private final RequestOutcomes<V> requests;
  private final Progress progress;
  private final NewestSnapshot newest;
  private final AtomicLong saves = new AtomicLong();
  private final AtomicLong failures = new AtomicLong();

  // What was applied before the newest snapshot; or the start of this process.
  private volatile long changesBefore;
  private volatile long bytesBefore;
  private volatile long nanosBefore = System.nanoTime();

  private long files; // of the thread that saves only

  Snapshots(
      RaftSettings settings,
      Codec<K> keys,
      Codec<V> values,
      Consensus consensus,
      LiveEntries<K, V> live,
      Leadership<K, V> leadership,
      Acknowledgements acknowledgements,
      RequestOutcomes<V> requests,
      Progress progress,
      NewestSnapshot newest) {
    this.settings = settings;
    this.keys = keys;
    this.values = values;
    this.consensus = consensus;
    this.live = live;
    this.leadership = leadership;
    this.acknowledgements = acknowledgements;
    this.requests = requests;
    this.progress = progress;
    this.newest = newest;
  }

  /** How many bytes of entries were applied since the last one. */
  long bytesSince() {
    return progress.bytes() - bytesBefore;
  }

  /** How many were saved. */
  long saves() {
    return saves.get();
  }

  /** How many could not be saved. Those that did not count, because the lead was lost, are none. */
  long failures() {
    return failures.get();
  }

  /** Whether enough was applied since the last one. Never if nothing was. */
  boolean isDue() {
    long newChanges = progress.changes() - changesBefore;
    long newBytes = progress.bytes() - bytesBefore;
    return newBytes > 0
        && (newChanges >= settings.snapshotChanges()
            || newBytes >= settings.snapshotBytes()
            || System.nanoTime() - nanosBefore >= settings.snapshotTime().toNanos());
  }

  /**
   * Saves a snapshot with the engine. One thread at a time.
   *
   * @return whether it counts. If not, the lead was lost meanwhile, or the map is not complete yet:
   *     it may be tried again
   */
  boolean save() throws IOException {
    boolean succeeded = false;
    try {
      Draft draft = write(consensus.temporaryFolder().resolve("snapshot-" + ++files));
      boolean counts = draft != null && handToEngine(draft);
      succeeded = true;
      return counts;
    } finally {
      if (!succeeded) {
        failures.incrementAndGet();
      }
    }
  }

  /**
   * Writes a file, which does not exist.
   *
   * @return null if the map is not fit for it now
   */
  @Nullable Draft write(Path file) throws IOException {
    long upheavals = progress.upheavals(); // first: `at` and the walk are of the same upheaval
    long changes = progress.changes();
    long bytes = progress.bytes();
    Applied at = progress.applied();
    boolean isStable = upheavals % 2 == 0 && progress.isComplete();
    if (!isStable) {
      return null;
    }
    ChainEnd chain = at.chain();
    SnapshotHeader header = new SnapshotHeader(at.position(), chain.term(), chain.last());
    boolean written = false;
    try (SnapshotWriter<K, V> out = new SnapshotWriter<>(file, header, keys, values)) {
      Iterator<LiveEntry<K, V>> entries = live.walk().coldestFirst();
      while (entries.hasNext()) {
        out.entry(entries.next());
      }
      // What the map showed has a number up to one of these two: of this lead, or applied.
      long complete = Math.max(leadership.lastGiven(), acknowledgements.durable());
      for (Remembered<V> request : requests.committed()) {
        out.request(saved(request));
      }
      long fileBytes = out.finish(complete);
      written = true;
      return new Draft(file, at, complete, upheavals, fileBytes, changes, bytes);
    } finally {
      if (!written) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** Waits until all of a draft is committed. Returns whether it counts. */
  boolean awaitCommitted(Draft draft) {
    try {
      acknowledgements.await(draft.complete());
    } catch (LogException.OutcomeUnknown lostLead) {
      return false;
    }
    return progress.upheavals() == draft.upheavals();
  }

  /** Gives a draft to the engine, if it counts. Returns whether it does. */
  boolean handToEngine(Draft draft) throws IOException {
    try {
      if (!awaitCommitted(draft)) {
        return false;
      }
      consensus.saveSnapshot(draft.at().position(), draft.file());
    } finally {
      Files.deleteIfExists(draft.file());
    }
    newest.saved(draft.at().position().index(), draft.fileBytes());
    changesBefore = draft.changes();
    bytesBefore = draft.bytes();
    nanosBefore = System.nanoTime();
    saves.incrementAndGet();
    return true;
  }

  private static <V> SavedRequest<V> saved(Remembered<V> request) {
    return new SavedRequest<>(
        request.id(),
        request.millis(),
        request.outcome().changes().stream()
            .map(
                change ->
                    new SavedChange<>(
                        change.version(), change.added(), change.removed(), change.value()))
            .toList());
  }
}
