package io.pensieve.replication.format;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import java.util.ArrayList;
import java.util.List;

/** Decodes the items of an entry. Thread-safe. */
public final class EntryDecoder<K, V> {
  private final Codec<K> keys;
  private final Codec<V> values;

  /** Receives the items of an entry, in their order. */
  public interface Items<K, V> {
    /** A put or a removal, with its sequence number. */
    void change(long sequence, Change<K, V> change);

    /** A key that was used. */
    void touch(K key);

    /** The request that made the changes that follow. */
    void request(Request request);
  }

  /** A decoder of these keys and values. */
  public EntryDecoder(Codec<K> keys, Codec<V> values) {
    this.keys = keys;
    this.values = values;
  }

  /** Decodes an entry of changes. */
  public void decode(byte[] entry, Items<K, V> items) {
    ByteReader in = new ByteReader(entry);
    EntryHeader header = EntryHeader.read(in);
    long sequence = header.before();
    while (in.hasMore()) {
      int offset = in.position();
      int kind = in.int8();
      switch (kind) {
        case EntryEncoder.PUT -> items.change(++sequence, put(in, Change.NEVER));
        case EntryEncoder.EXPIRING -> items.change(++sequence, put(in, in.int64()));
        case EntryEncoder.REMOVE ->
            items.change(++sequence, new Change.Remove<>(keys.decode(in.string())));
        case EntryEncoder.TOUCH -> items.touch(keys.decode(in.string()));
        case EntryEncoder.REQUEST -> items.request(request(in));
        default -> throw new MalformedException("an item from 1 to 5", "item " + kind, offset);
      }
    }
    if (sequence != header.last()) {
      throw new MalformedException(
          header.count() + " changes", (sequence - header.before()) + " changes", in.position());
    }
  }

  private Change.Put<K, V> put(ByteReader in, long expiryMillis) {
    K key = keys.decode(in.string());
    return new Change.Put<>(key, values.decode(in.string()), expiryMillis);
  }

  private static Request request(ByteReader in) {
    String id = new String(in.string(), UTF_8);
    long millis = in.int64();
    List<Request.Effect> effects = new ArrayList<>();
    for (int left = in.varint(); left > 0; left--) {
      effects.add(Request.Effect.of(in.int8()));
    }
    return new Request(id, millis, List.copyOf(effects));
  }
}
