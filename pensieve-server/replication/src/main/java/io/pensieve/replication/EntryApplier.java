package io.pensieve.replication;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.Codec;
import io.pensieve.log.RecentChanges;
import io.pensieve.log.StandbyMap;
import io.pensieve.replication.RequestOutcomes.Remembered;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.format.EntryDecoder;
import io.pensieve.replication.format.EntryHeader;
import io.pensieve.replication.format.Request;
import java.util.ArrayList;
import java.util.List;

/**
 * Applies what the cluster has committed to the map, and begins and ends this node's leads. Its
 * methods are called one at a time.
 *
 * <p>An entry of this node's own current lead is in the map already: its updates are acknowledged.
 * Every other entry that counts is applied to the map, also one of an earlier lead of this node:
 * its updates were undone when that lead ended.
 */
final class EntryApplier<K, V> {
  // The order of effects when an entry of another lead is applied:
  // 1. Its numbers are not void (if this node had lost them), 2. they are acknowledged, 3. the map
  // shows the changes, 4. streams deliver them, 5. `applied` has the position. A reader that finds
  // a value (3) finds its number acknowledged (2) and not void (1). A stream's reader (4) finds the
  // change in the map (3). A snapshot of a position (5) has all up to there (3).
  //
  // The order when a lead ends: 1. no more updates are taken, 2. the numbers of those not committed
  // are void, and who waits for them learns it, 3. the map is a standby, 4. the changes are undone.
  // Between 2 and 4 a reader that finds a lost value finds its number void.

  private final RaftSettings settings;
  private final StandbyMap<K, V> map;
  private final EntryDecoder<K, V> decoder;
  private final Leadership<K, V> leadership;
  private final Acknowledgements acknowledgements;
  private final RequestOutcomes<V> requests;
  private final RecentChanges<K, V> recent;
  private final Progress progress;
  private boolean isPromoted;

  EntryApplier(
      RaftSettings settings,
      StandbyMap<K, V> map,
      Codec<K> keys,
      Codec<V> values,
      Leadership<K, V> leadership,
      Acknowledgements acknowledgements,
      RequestOutcomes<V> requests,
      RecentChanges<K, V> recent,
      Progress progress) {
    this.settings = settings;
    this.map = map;
    this.decoder = new EntryDecoder<>(keys, values);
    this.leadership = leadership;
    this.acknowledgements = acknowledgements;
    this.requests = requests;
    this.recent = recent;
    this.progress = progress;
  }

  void apply(LogPosition position, byte[] entry) {
    EntryHeader header = EntryHeader.read(entry);
    ChainEnd end = progress.applied().chain();
    if (!end.accepts(position, header)) {
      leadership.skipped(header);
      progress.applied(position, end, 0, entry.length);
      return;
    }
    ChainEnd next = end.after(header);
    if (header.isBegin()) {
      begin(position, header, next);
    } else {
      applyChanges(header, entry);
      progress.applied(position, next, header.count(), entry.length);
    }
  }

  // Everything before it in the log is applied, so what is not committed never will be.
  private void begin(LogPosition position, EntryHeader header, ChainEnd next) {
    boolean leads = leadership.isAwaited(header);
    endLead(true);
    acknowledgements.acknowledge(next.last());
    progress.applied(position, next, 0, 0);
    progress.leadBegan();
    if (leads && leadership.lead(next.last())) {
      isPromoted = true;
      map.promote();
      settings.onEvent().accept("leads the cluster in term " + header.term());
    }
  }

  private void applyChanges(EntryHeader header, byte[] entry) {
    ProposedEntry<K, V> own = leadership.committed(header);
    if (own != null) {
      acknowledgeOwn(own, entry.length);
    } else {
      endLead(true); // never needed with Raft: nobody else proposes in this term
      applyForeign(header, entry);
    }
  }

  private void acknowledgeOwn(ProposedEntry<K, V> entry, int entryBytes) {
    List<Sequenced<K, V>> changes = new ArrayList<>(entry.header().count());
    long sequence = entry.header().before();
    for (UncommittedUpdate<K, V> update : entry.updates()) {
      if (update.request() != null) {
        remember(update.request(), update.changes(), sequence + 1);
      }
      for (Change<K, V> change : update.changes()) {
        changes.add(new Sequenced<>(++sequence, change));
      }
    }
    acknowledgements.acknowledge(sequence);
    recent.addAll(changes, entryBytes / Math.max(1, changes.size()));
    long nanos = settings.nanoTime().getAsLong() - entry.nanos();
    progress.committed(nanos);
    settings.onCommit().accept(nanos);
  }

  private void applyForeign(EntryHeader header, byte[] entry) {
    Decoded decoded = new Decoded();
    decoder.decode(entry, decoded);
    acknowledgements.recover(header.last());
    acknowledgements.acknowledge(header.last());
    decoded.changes.forEach(change -> map.apply(change.sequence(), change.change()));
    decoded.touched.forEach(key -> map.apply(header.last(), new Change.Touch<>(key)));
    for (Described described : decoded.requests) {
      int from = described.firstChange();
      int to = from + described.request().effects().size();
      List<Change<K, V>> changes = new ArrayList<>();
      decoded.changes.subList(from, to).forEach(change -> changes.add(change.change()));
      remember(described.request(), changes, decoded.changes.get(from).sequence());
    }
    if (!decoded.changes.isEmpty()) {
      recent.addAll(decoded.changes, entry.length / decoded.changes.size());
    }
  }

  private void remember(Request request, List<Change<K, V>> changes, long first) {
    requests.commit(
        new Remembered<>(
            request.id(), request.millis(), RequestOutcomes.outcome(request, changes, first)));
  }

  private record Described(Request request, int firstChange) {}

  private final class Decoded implements EntryDecoder.Items<K, V> {
    final List<Sequenced<K, V>> changes = new ArrayList<>();
    final List<K> touched = new ArrayList<>();
    final List<Described> requests = new ArrayList<>();

    @Override
    public void change(long sequence, Change<K, V> change) {
      changes.add(new Sequenced<>(sequence, change));
    }

    @Override
    public void touch(K key) {
      touched.add(key);
    }

    @Override
    public void request(Request request) {
      requests.add(new Described(request, changes.size()));
    }
  }

  /** The engine has elected this node. It leads once its begin is applied. */
  void lead(long term) {
    endLead(false);
    leadership.elected(term);
  }

  /** The engine has elected another node, or none. */
  void follow() {
    boolean led = isPromoted;
    endLead(false);
    if (led) {
      settings.onEvent().accept("does not lead the cluster any more");
    }
  }

  /**
   * Ends this node's lead, if it leads, and undoes what is not committed.
   *
   * @param isElected whether the engine may still have this node elected: then it begins anew
   */
  void endLead(boolean isElected) {
    Leadership.Lost<K, V> lost = leadership.lose(isElected);
    if (!isPromoted && lost.updates().isEmpty()) {
      return;
    }
    progress.beginUpheaval();
    if (!lost.updates().isEmpty()) {
      acknowledgements.lose(lost.after(), lost.last());
    }
    if (isPromoted) {
      isPromoted = false;
      map.demote();
    }
    undo(lost.updates());
    progress.endUpheaval();
  }

  private void undo(List<UncommittedUpdate<K, V>> lost) {
    for (int i = lost.size() - 1; i >= 0; i--) {
      UncommittedUpdate<K, V> update = lost.get(i);
      for (int j = update.count() - 1; j >= 0; j--) {
        map.revert(update.changes().get(j).key(), update.before().get(j));
      }
      if (update.request() != null) {
        requests.lose(update.request());
      }
    }
    if (!lost.isEmpty()) {
      map.reverted();
    }
  }
}
