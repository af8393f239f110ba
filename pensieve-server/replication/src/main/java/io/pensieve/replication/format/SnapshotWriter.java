package io.pensieve.replication.format;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.replication.format.SavedRequest.SavedChange;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** Writes a snapshot file; see {@link SnapshotHeader} for its format. Used by one thread. */
public final class SnapshotWriter<K, V> implements Closeable {
  private static final int BLOCK_BYTES = 1 << 16;

  private final FileChannel file;
  private final Codec<K> keys;
  private final Codec<V> values;
  private ByteWriter block = new ByteWriter(BLOCK_BYTES);
  private int kind; // of the block; 0 if it is empty
  private long entries;
  private long requests;

  /** Creates a file, and writes its header. */
  public SnapshotWriter(Path path, SnapshotHeader header, Codec<K> keys, Codec<V> values)
      throws IOException {
    this.keys = keys;
    this.values = values;
    file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    boolean begun = false;
    try {
      write(ByteBuffer.wrap(SnapshotHeader.MAGIC));
      begin(header);
      begun = true;
    } finally {
      if (!begun) {
        file.close();
      }
    }
  }

  private void begin(SnapshotHeader header) throws IOException {
    ByteWriter out = block(SnapshotHeader.HEADER);
    out.int8(SnapshotHeader.FORMAT);
    out.int64(header.position().term());
    out.int64(header.position().index());
    out.int64(header.chainTerm());
    out.int64(header.chainLast());
    out.string(keys.name().getBytes(UTF_8));
    out.string(values.name().getBytes(UTF_8));
    flush();
  }

  /** Adds an entry; all of them come before all requests. */
  public void entry(LiveEntry<K, V> entry) throws IOException {
    ByteWriter out = block(SnapshotHeader.ENTRIES);
    out.int64(entry.version());
    out.int64(entry.put().expiryMillis());
    out.string(keys.encode(entry.put().key()));
    out.string(values.encode(entry.put().value()));
    entries++;
  }

  /** Adds a request. */
  public void request(SavedRequest<V> request) throws IOException {
    ByteWriter out = block(SnapshotHeader.REQUESTS);
    out.string(request.id().getBytes(UTF_8));
    out.int64(request.millis());
    out.varint(request.changes().size());
    for (SavedChange<V> change : request.changes()) {
      out.int64(change.version());
      out.int8(change.flags());
      V value = change.value();
      if (value != null) {
        out.string(values.encode(value));
      }
    }
    requests++;
  }

  /**
   * Ends the file and forces it to disk.
   *
   * @return its size
   */
  public long finish(long complete) throws IOException {
    ByteWriter out = block(SnapshotHeader.END);
    out.int64(entries);
    out.int64(requests);
    out.int64(complete);
    flush();
    file.force(true);
    return file.position();
  }

  // The block to which the next item of this kind goes.
  private ByteWriter block(int nextKind) throws IOException {
    if (kind != nextKind || block.length() >= BLOCK_BYTES) {
      flush();
      kind = nextKind;
      block.int8(nextKind);
    }
    return block;
  }

  private void flush() throws IOException {
    if (kind == 0) {
      return;
    }
    byte[] payload = block.toBytes();
    CRC32C crc = new CRC32C();
    crc.update(payload);
    ByteBuffer frame = ByteBuffer.allocate(SnapshotHeader.FRAME_BYTES);
    write(frame.putInt(payload.length).putInt((int) crc.getValue()).flip());
    write(ByteBuffer.wrap(payload));
    block = new ByteWriter(BLOCK_BYTES);
    kind = 0;
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
