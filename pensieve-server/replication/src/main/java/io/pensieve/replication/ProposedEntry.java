package io.pensieve.replication;

import io.pensieve.replication.format.EntryEncoder;
import io.pensieve.replication.format.EntryHeader;
import java.util.ArrayList;
import java.util.List;

/**
 * An entry that this node proposes: updates that follow one another, or the begin of its lead.
 *
 * @param header its fixed part
 * @param updates its updates; none for a begin
 * @param items other items that go with them
 * @param nanos when it was made
 */
record ProposedEntry<K, V>(
    EntryHeader header, List<UncommittedUpdate<K, V>> updates, List<byte[]> items, long nanos) {

  static <K, V> ProposedEntry<K, V> begin(long term, long nonce, long nanos) {
    return new ProposedEntry<>(
        new EntryHeader(true, term, nonce, 0, 0), List.of(), List.of(), nanos);
  }

  byte[] encode() {
    if (header.isBegin()) {
      return EntryEncoder.begin(header.term(), header.nonce());
    }
    List<byte[]> all = new ArrayList<>();
    updates.forEach(update -> all.addAll(update.items()));
    all.addAll(items);
    return EntryEncoder.changes(header.term(), header.before(), header.count(), all);
  }
}
