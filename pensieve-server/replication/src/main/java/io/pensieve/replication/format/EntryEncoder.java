package io.pensieve.replication.format;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import java.util.List;

/** Encodes entries; see {@link EntryHeader} for their format. Thread-safe. */
public final class EntryEncoder<K, V> {
  static final int PUT = 1;
  static final int EXPIRING = 2;
  static final int REMOVE = 3;
  static final int TOUCH = 4;
  static final int REQUEST = 5;
  private static final int ITEM_BYTES = 1 + Long.BYTES + 2 * ByteReader.VARINT_BYTES_MAX;

  private final Codec<K> keys;
  private final Codec<V> values;

  /** An encoder of these keys and values. */
  public EntryEncoder(Codec<K> keys, Codec<V> values) {
    this.keys = keys;
    this.values = values;
  }

  /** Encodes a change as an item. */
  public byte[] item(Change<K, V> change) {
    byte[] key = keys.encode(change.key());
    if (!(change instanceof Change.Put<K, V> put)) {
      return keyItem(change instanceof Change.Remove ? REMOVE : TOUCH, key);
    }
    byte[] value = values.encode(put.value());
    ByteWriter out =
        new ByteWriter(Math.addExact(ITEM_BYTES, Math.addExact(key.length, value.length)));
    if (put.expiryMillis() == Change.NEVER) {
      out.int8(PUT);
    } else {
      out.int8(EXPIRING);
      out.int64(put.expiryMillis());
    }
    out.string(key);
    out.string(value);
    return out.toBytes();
  }

  private static byte[] keyItem(int kind, byte[] key) {
    ByteWriter out = new ByteWriter(Math.addExact(1 + ByteReader.VARINT_BYTES_MAX, key.length));
    out.int8(kind);
    out.string(key);
    return out.toBytes();
  }

  /** Encodes what describes the changes after it. */
  public byte[] item(Request request) {
    ByteWriter out = new ByteWriter(ITEM_BYTES + request.id().length() + request.effects().size());
    out.int8(REQUEST);
    out.string(request.id().getBytes(UTF_8));
    out.int64(request.millis());
    out.varint(request.effects().size());
    request.effects().forEach(effect -> out.int8(effect.flags()));
    return out.toBytes();
  }

  /** An entry of changes. */
  public static byte[] changes(long term, long before, int count, List<byte[]> items) {
    int length = EntryHeader.CHANGES_BYTES;
    for (byte[] item : items) {
      length = Math.addExact(length, item.length);
    }
    ByteWriter out = new ByteWriter(length);
    out.int8(EntryHeader.FORMAT);
    out.int8(EntryHeader.CHANGES);
    out.int64(term);
    out.int64(before);
    out.int32(count);
    items.forEach(out::raw);
    return out.toBytes();
  }

  /** An entry that begins a lead. */
  public static byte[] begin(long term, long nonce) {
    ByteWriter out = new ByteWriter(EntryHeader.BEGIN_BYTES);
    out.int8(EntryHeader.FORMAT);
    out.int8(EntryHeader.BEGIN);
    out.int64(term);
    out.int64(nonce);
    return out.toBytes();
  }
}
