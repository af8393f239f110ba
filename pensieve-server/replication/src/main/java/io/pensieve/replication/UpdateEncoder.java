package io.pensieve.replication;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.StandbyMap;
import io.pensieve.replication.format.EntryEncoder;
import io.pensieve.replication.format.Request;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes an update of the changes of an append, on the thread that appends. Thread-safe. */
final class UpdateEncoder<K, V> {
  private final RaftSettings settings;
  private final StandbyMap<K, V> map;
  private final RequestOutcomes<V> requests;
  private final EntryEncoder<K, V> encoder;

  UpdateEncoder(
      RaftSettings settings,
      StandbyMap<K, V> map,
      RequestOutcomes<V> requests,
      Codec<K> keys,
      Codec<V> values) {
    this.settings = settings;
    this.map = map;
    this.requests = requests;
    this.encoder = new EntryEncoder<>(keys, values);
  }

  /**
   * Encodes changes. Their keys are locked, so what the map has of them is what they replace.
   *
   * @throws IllegalArgumentException if they are too large
   */
  UncommittedUpdate<K, V> of(List<Change<K, V>> changes) {
    List<byte[]> items = new ArrayList<>(changes.size() + 1);
    List<@Nullable LiveEntry<K, V>> replaced = new ArrayList<>(changes.size());
    for (Change<K, V> change : changes) {
      items.add(encoder.item(change));
      replaced.add(map.entry(change.key()));
    }
    String requestId = requests.currentId();
    Request request = requestId == null ? null : request(requestId, replaced, items);
    if (request != null) {
      items.add(0, encoder.item(request));
    }
    return new UncommittedUpdate<>(changes, replaced, items, checkedBytes(items), request);
  }

  private Request request(String id, List<@Nullable LiveEntry<K, V>> replaced, List<byte[]> items) {
    long now = settings.clock().millis();
    List<Request.Effect> effects = new ArrayList<>(items.size());
    for (int i = 0; i < items.size(); i++) {
      LiveEntry<K, V> before = replaced.get(i);
      boolean added = before == null || before.put().expiryMillis() <= now;
      boolean small = items.get(i).length <= RequestOutcome.SMALL_BYTES_MAX;
      effects.add(new Request.Effect(added, small));
    }
    return new Request(id, now, effects);
  }

  private int checkedBytes(List<byte[]> items) {
    long bytes = 0;
    for (byte[] item : items) {
      bytes += item.length;
    }
    if (bytes > settings.maximumChangeBytes()) {
      throw new IllegalArgumentException(
          "a write has at most "
              + settings.maximumChangeBytes()
              + " bytes in this cluster, and this one has "
              + bytes);
    }
    return (int) bytes;
  }
}
