package io.pensieve.replication.format;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.format.SavedRequest.SavedChange;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a snapshot file: first all {@link #entries}, then the {@link #end}, then the {@link
 * #requests}. Throws {@link LogException.Corrupt} where it is damaged. Used by one thread.
 */
public final class SnapshotReader<K, V> implements Closeable {
  private final Path path;
  private final Codec<K> keys;
  private final Codec<V> values;
  private final SnapshotBlocks blocks;
  private final SnapshotHeader header;
  private final List<SavedRequest<V>> requests = new ArrayList<>();
  private long entriesRead;

  /** Opens a file, and reads its header. */
  public SnapshotReader(Path path, Codec<K> keys, Codec<V> values) throws IOException {
    this.path = path;
    this.keys = keys;
    this.values = values;
    blocks = new SnapshotBlocks(path);
    boolean opened = false;
    try {
      header = readHeader();
      opened = true;
    } finally {
      if (!opened) {
        blocks.close();
      }
    }
  }

  /** Reads a whole file, and checks all checksums, without decoding it. Returns its end. */
  public static SnapshotHeader.End verify(Path path) throws IOException {
    try (SnapshotBlocks blocks = new SnapshotBlocks(path)) {
      do {
        blocks.next();
      } while (blocks.kind() != SnapshotHeader.END);
      return readEnd(blocks);
    }
  }

  private static SnapshotHeader.End readEnd(SnapshotBlocks blocks) {
    ByteReader in = blocks.payload();
    return new SnapshotHeader.End(in.int64(), in.int64(), in.int64());
  }

  private SnapshotHeader readHeader() throws IOException {
    blocks.next();
    if (blocks.kind() != SnapshotHeader.HEADER) {
      throw blocks.corrupt("a header", "block " + blocks.kind());
    }
    try {
      ByteReader in = blocks.payload();
      int format = in.int8();
      if (format != SnapshotHeader.FORMAT) {
        throw blocks.corrupt("format " + SnapshotHeader.FORMAT, "format " + format);
      }
      LogPosition position = new LogPosition(in.int64(), in.int64());
      SnapshotHeader read = new SnapshotHeader(position, in.int64(), in.int64());
      checkCodec("keys", new String(in.string(), UTF_8), keys.name());
      checkCodec("values", new String(in.string(), UTF_8), values.name());
      return read;
    } catch (IllegalArgumentException malformed) {
      throw blocks.corrupt(malformed);
    }
  }

  private void checkCodec(String what, String written, String given) {
    if (!written.isEmpty() && !given.isEmpty() && !written.equals(given)) {
      throw new LogException.WrongCodec(path, what, written, given);
    }
  }

  /** The header. */
  public SnapshotHeader header() {
    return header;
  }

  /** How many entries were read. */
  public long entriesRead() {
    return entriesRead;
  }

  /** How many bytes of the file were read. */
  public long bytesRead() {
    return blocks.bytesRead();
  }

  /** The size of the file. */
  public long fileBytes() {
    return blocks.fileBytes();
  }

  /** The entries, the least recently used first. Throws {@link UncheckedIOException}, too. */
  public Iterator<LiveEntry<K, V>> entries() {
    return new Entries();
  }

  /** The requests, the oldest first. To be called after {@link #end}. */
  public List<SavedRequest<V>> requests() {
    return List.copyOf(requests);
  }

  /** Reads what comes after the entries. To be called after all entries were read. */
  public SnapshotHeader.End end() throws IOException {
    try {
      while (blocks.kind() == SnapshotHeader.REQUESTS) {
        while (blocks.payload().hasMore()) {
          requests.add(readRequest(blocks.payload()));
        }
        blocks.next();
      }
      if (blocks.kind() != SnapshotHeader.END) {
        throw blocks.corrupt("the end", "block " + blocks.kind());
      }
      SnapshotHeader.End end = readEnd(blocks);
      if (end.entries() != entriesRead || end.requests() != requests.size()) {
        throw blocks.corrupt(
            end.entries() + " entries and " + end.requests() + " requests",
            entriesRead + " and " + requests.size());
      }
      return end;
    } catch (IllegalArgumentException malformed) {
      throw blocks.corrupt(malformed);
    }
  }

  private SavedRequest<V> readRequest(ByteReader in) {
    String id = new String(in.string(), UTF_8);
    long millis = in.int64();
    List<SavedChange<V>> changes = new ArrayList<>();
    for (int left = in.varint(); left > 0; left--) {
      long version = in.int64();
      int flags = in.int8();
      V value = (flags & 4) != 0 ? values.decode(in.string()) : null;
      changes.add(new SavedChange<>(version, (flags & 1) != 0, (flags & 2) != 0, value));
    }
    return new SavedRequest<>(id, millis, changes);
  }

  @Override
  public void close() throws IOException {
    blocks.close();
  }

  private final class Entries implements Iterator<LiveEntry<K, V>> {
    private @Nullable LiveEntry<K, V> next;

    @Override
    public boolean hasNext() {
      try {
        while (next == null && blocks.kind() <= SnapshotHeader.ENTRIES) {
          if (blocks.kind() == SnapshotHeader.ENTRIES && blocks.payload().hasMore()) {
            next = readEntry(blocks.payload());
          } else {
            blocks.next();
          }
        }
      } catch (IllegalArgumentException malformed) {
        throw blocks.corrupt(malformed);
      } catch (IOException unreadable) {
        throw new UncheckedIOException(path + ": " + unreadable.getMessage(), unreadable);
      }
      return next != null;
    }

    private LiveEntry<K, V> readEntry(ByteReader in) {
      long version = in.int64();
      long expiryMillis = in.int64();
      K key = keys.decode(in.string());
      return new LiveEntry<>(
          new Change.Put<>(key, values.decode(in.string()), expiryMillis), version);
    }

    @Override
    public LiveEntry<K, V> next() {
      LiveEntry<K, V> read = hasNext() ? next : null;
      if (read == null) {
        throw new NoSuchElementException();
      }
      next = null;
      entriesRead++;
      return read;
    }
  }
}
