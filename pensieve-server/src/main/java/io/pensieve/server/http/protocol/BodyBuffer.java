package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.JsonStringScanner;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A body as it comes, in chunks: growing copies nothing, and reading lets go of what was read. For
 * one thread at a time.
 */
final class BodyBuffer {
  private static final byte[] NOTHING = {};
  private static final int CHUNK_BYTES_MIN = 1 << 10;
  private static final int CHUNK_BYTES_MAX = 64 << 10;

  private final Deque<ByteBuffer> chunks = new ArrayDeque<>(2); // to be read
  private ByteBuffer last = ByteBuffer.wrap(NOTHING); // to be written
  private int size;
  private int capacity;

  /** How many bytes have come. */
  int size() {
    return size;
  }

  /** What they take. */
  int capacity() {
    return capacity;
  }

  /** How much more these bytes would take. */
  int growthFor(int count, int bytesExpected) {
    return count <= last.remaining() ? 0 : chunkBytes(count - last.remaining(), bytesExpected);
  }

  // The first chunk is mostly the whole. No more than what is announced is ever needed.
  private int chunkBytes(int beyondLast, int bytesExpected) {
    int grown = Math.max(CHUNK_BYTES_MIN, Math.min(size, CHUNK_BYTES_MAX));
    int left = bytesExpected - size - last.remaining();
    return size == 0 ? beyondLast : Math.max(beyondLast, Math.min(grown, left));
  }

  /** Adds these bytes. */
  void add(ByteBuffer source, int bytesExpected) {
    int growth = growthFor(source.remaining(), bytesExpected);
    int now = Math.min(source.remaining(), last.remaining());
    size += source.remaining();
    last.put(source.slice().limit(now));
    source.position(source.position() + now);
    if (growth > 0) {
      ByteBuffer chunk = ByteBuffer.allocate(growth);
      capacity += growth;
      chunks.add(chunk);
      last = chunk.duplicate();
      last.put(source);
    }
  }

  void drop() {
    chunks.clear();
    last = ByteBuffer.wrap(NOTHING);
    size = 0;
    capacity = 0;
  }

  /** What the longest string in this is long, if it is JSON: its text, in bytes of UTF-8. */
  long longestString() {
    JsonStringScanner strings = new JsonStringScanner();
    int left = size;
    for (ByteBuffer chunk : chunks) {
      int count = Math.min(left, chunk.capacity());
      for (int i = 0; i < count; i++) {
        strings.next(chunk.get(i));
      }
      left -= count;
    }
    return strings.longest();
  }

  /** The bytes, once. */
  ByteArrayInputStream asInput() {
    return new Input();
  }

  /** Never fails, which the type is to say; it has no use for an array of its own. */
  private final class Input extends ByteArrayInputStream {
    Input() {
      super(NOTHING);
    }

    @Override
    public synchronized int available() {
      return size;
    }

    @Override
    public synchronized int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public synchronized int read(byte[] into, int offset, int length) {
      if (length == 0) {
        return 0;
      }
      int done = 0;
      while (done < length && size > 0) {
        ByteBuffer chunk = chunks.element();
        int count = Math.min(length - done, Math.min(size, chunk.remaining()));
        chunk.get(into, offset + done, count);
        done += count;
        size -= count;
        if (!chunk.hasRemaining() || size == 0) {
          chunks.remove();
        }
      }
      return done == 0 ? -1 : done;
    }

    @Override
    public synchronized byte[] readAllBytes() {
      ByteBuffer first = chunks.peek();
      if (first != null
          && first.arrayOffset() == 0
          && first.remaining() == size
          && first.capacity() == size) {
        chunks.clear(); // it came at once, as most bodies do, and is let go of
        size = 0;
        return first.array();
      }
      byte[] all = new byte[size];
      int unused = read(all, 0, all.length);
      return all;
    }

    @Override
    public synchronized int readNBytes(byte[] into, int offset, int length) {
      return Math.max(0, read(into, offset, length));
    }

    @Override
    public synchronized long skip(long count) {
      long skipped = 0;
      while (skipped < count && read() >= 0) {
        skipped++;
      }
      return skipped;
    }
  }
}
