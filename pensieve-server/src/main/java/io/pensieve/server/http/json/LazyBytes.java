package io.pensieve.server.http.json;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Bytes that are produced while they are sent: a body, or an event. Each reader reads them from the
 * beginning, and there may be any number of readers. Immutable.
 */
public final class LazyBytes {
  private final List<Part> parts;
  private final long length;
  private final long bytesHeld;

  /** A part of the bytes. */
  interface Part {
    /** Returns the length of the part in bytes. */
    long length();

    /** Returns how many heap bytes the part retains, apart from small objects. */
    long bytesHeld();

    /** Returns a reader at the beginning. */
    PartReader read();
  }

  /** One reader and its position. For one thread at a time. */
  public interface PartReader {
    /**
     * Writes the next bytes into this buffer. It may leave a few bytes of the buffer unused. It
     * always makes progress in an empty buffer of at least {@link LazyJsonString#ESCAPE_BYTES_MAX}
     * bytes.
     *
     * @return whether no bytes are left
     */
    boolean fill(ByteBuffer buffer);
  }

  LazyBytes(List<Part> parts) {
    this.parts = List.copyOf(parts);
    long lengthOfAll = 0;
    long bytesHeldByAll = 0;
    for (Part part : this.parts) { // for each response: a stream took 4 % of its time
      lengthOfAll += part.length();
      bytesHeldByAll += part.bytesHeld();
    }
    this.length = lengthOfAll;
    this.bytesHeld = bytesHeldByAll;
  }

  public static LazyBytes of(byte[] bytes) {
    return new LazyBytes(List.of(new Bytes(bytes)));
  }

  public long length() {
    return length;
  }

  public long bytesHeld() {
    return bytesHeld;
  }

  public PartReader read() {
    return new PartReader() {
      private int next;
      private PartReader current = buffer -> true;

      @Override
      public boolean fill(ByteBuffer buffer) {
        while (current.fill(buffer)) {
          if (next == parts.size()) {
            return true;
          }
          current = parts.get(next++).read();
        }
        return false;
      }
    };
  }

  /** Returns all bytes. Use this for small contents only. */
  public byte[] toBytes() {
    if (parts.size() == 1 && parts.get(0) instanceof Bytes whole) {
      return whole.bytes();
    }
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(length));
    PartReader partReader = read();
    if (!partReader.fill(all)) {
      throw new AssertionError("longer than it says");
    }
    return all.array();
  }

  /** Bytes as they are. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Bytes(byte[] bytes) implements Part {
    @Override
    public long length() {
      return bytes.length;
    }

    @Override
    public long bytesHeld() {
      return bytes.length;
    }

    @Override
    public PartReader read() {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      return buffer -> {
        put(rest, buffer);
        return !rest.hasRemaining();
      };
    }
  }

  private static void put(ByteBuffer rest, ByteBuffer buffer) {
    int count = Math.min(rest.remaining(), buffer.remaining());
    buffer.put(rest.slice().limit(count));
    rest.position(rest.position() + count);
  }
}
