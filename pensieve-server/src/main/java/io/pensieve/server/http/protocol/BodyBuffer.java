package io.pensieve.server.http.protocol;

import io.pensieve.server.http.json.JsonStringScanner;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A body that arrives in chunks. Growing copies nothing, and reading frees what was read. For one
 * thread at a time.
 */
final class BodyBuffer {
  private static final byte[] NOTHING = {};
  private static final ByteBuffer FULL = ByteBuffer.wrap(NOTHING); // takes and has no byte
  private static final int CHUNK_BYTES_MIN = 1 << 10;
  private static final int CHUNK_BYTES_MAX = 64 << 10;

  private final Deque<ByteBuffer> chunks = new ArrayDeque<>(2); // to be read
  private ByteBuffer last = FULL; // to be written
  private int size;
  private int capacity;

  /** Returns how many bytes have arrived. */
  int size() {
    return size;
  }

  /** Returns how many bytes of memory they take. */
  int capacity() {
    return capacity;
  }

  /** Returns how much more memory these bytes would take. */
  int growthFor(int count, int bytesExpected) {
    return count <= last.remaining() ? 0 : chunkBytes(count - last.remaining(), bytesExpected);
  }

  // The first chunk usually has the whole body. Never allocate more than the announced length.
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
    if (now > 0) {
      last.put(source.slice().limit(now));
      source.position(source.position() + now);
    }
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
    last = FULL;
    size = 0;
    capacity = 0;
  }

  /** Returns the length of the longest string, if this is JSON: its text in bytes of UTF-8. */
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

  /** Returns the bytes, to be read once. */
  ByteArrayInputStream asInput() {
    return new Input();
  }

  /** A stream of this type throws no IOException. It does not use the array of its superclass. */
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
        chunks.clear(); // arrived at once, as most bodies do; free it
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
