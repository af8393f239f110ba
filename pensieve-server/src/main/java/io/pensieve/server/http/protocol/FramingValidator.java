package io.pensieve.server.http.protocol;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Follows the bytes of one connection, and decides how far they are valid requests (RFC 9112). Does
 * no I/O. For one thread at a time.
 */
final class FramingValidator {
  /*
   * Bytes are passed on in units: a whole head, a chunk-size line, a piece of a body, the line end
   * after a chunk, a trailer line. A unit is passed on once it is complete and valid. So the reader
   * behind this class never sees half a line, and is between two units when a fault is found.
   *
   * The first `seen` bytes of the current unit have been checked. The caller offers them again,
   * together with the bytes that follow. `lineStart` is the start of the unit's last line.
   */

  // As long as the buffers of the connections.
  private static final ThreadLocal<ByteBuffer> COPY =
      ThreadLocal.withInitial(() -> ByteBuffer.allocate(16 << 10));

  private static final long ONES = 0x0101010101010101L;
  private static final long BLANKS = ' ' * ONES;
  private static final long HIGHEST_BITS = ONES << 7;

  private static final int CHUNK_LINE_BYTES_MAX = 256;
  private static final int SIZE_DIGITS_MAX = 15; // below 2^60

  private enum Part {
    HEAD,
    BODY,
    CHUNK_SIZE,
    CHUNK_DATA,
    CHUNK_END,
    TRAILERS
  }

  private final RequestHeadParser lines = new RequestHeadParser();
  private final int headBytesMax;
  private Part part = Part.HEAD;
  private int seen;
  private int lineStart;
  private long bodyRemaining;
  private int trailerBytes;
  private @Nullable FramingError fault;

  /**
   * Creates a validator for a new connection.
   *
   * @param headBytesMax the maximum length of a head, and of all trailers together, in bytes
   */
  FramingValidator(int headBytesMax) {
    this.headBytesMax = headBytesMax;
  }

  /** Returns the fault, or null. After a fault nothing more is passed on. */
  @Nullable FramingError fault() {
    return fault;
  }

  /** Returns the bytes to pass on in place of the faulty unit. */
  byte[] replacement() {
    FramingError found = fault;
    if (found == null) {
      throw new IllegalStateException("there is no fault");
    }
    return part == Part.HEAD
        ? found.asRequest()
        : found.asEndOfBody(part == Part.CHUNK_END, part == Part.TRAILERS);
  }

  /**
   * Checks these bytes, which begin at the start of a unit.
   *
   * @return the end of the bytes that may be passed on. Unless there is a fault, the caller offers
   *     the bytes from there to the limit again, together with those that follow
   */
  int accept(ByteBuffer bytes, int position, int limit) {
    ByteBuffer lookedAt = isWithinData(limit - position) ? bytes : onHeap(bytes, position, limit);
    int at = position;
    while (at < limit && fault == null) {
      int next = unit(lookedAt, at, limit);
      if (next == at) {
        return at;
      }
      at = next;
    }
    return at;
  }

  private boolean isWithinData(int count) {
    return (part == Part.BODY || part == Part.CHUNK_DATA) && count <= bodyRemaining;
  }

  // Returns the same bytes at the same positions. Reading a direct buffer byte by byte takes three
  // times as long as copying it first.
  private static ByteBuffer onHeap(ByteBuffer bytes, int position, int limit) {
    if (bytes.hasArray()) {
      return bytes;
    }
    ByteBuffer copy = COPY.get();
    if (copy.capacity() < limit) {
      copy = ByteBuffer.allocate(limit);
      COPY.set(copy);
    }
    return copy.clear().put(position, bytes, position, limit - position);
  }

  /** Returns the end of the unit that begins here, or its start if the unit is incomplete. */
  private int unit(ByteBuffer bytes, int start, int limit) {
    return switch (part) {
      case HEAD -> head(bytes, start, limit);
      case BODY -> body(start, limit, Part.HEAD);
      case CHUNK_SIZE -> chunkSize(bytes, start, limit);
      case CHUNK_DATA -> body(start, limit, Part.CHUNK_END);
      case CHUNK_END -> chunkEnd(bytes, start, limit);
      case TRAILERS -> trailer(bytes, start, limit);
    };
  }

  private int head(ByteBuffer bytes, int start, int limit) {
    byte[] array = bytes.array(); // a heap copy: twice as fast as the buffer
    int offset = bytes.arrayOffset();
    for (int at = skipText(bytes, start + seen, limit);
        at < limit;
        at = skipText(bytes, at + 1, limit)) {
      byte b = array[offset + at];
      if (b == '\n') {
        int line = start + lineStart;
        if (at == line || array[offset + at - 1] != '\r') {
          return broken(FramingError.CONTROL, start);
        }
        boolean isFirst = line == start;
        boolean isLast = at - 1 == line && !isFirst;
        FramingError found = lines.accept(bytes, line, at - 1, isFirst, isLast);
        if (found != null) {
          return broken(found, start);
        }
        if (isLast) {
          return at + 1 - start > headBytesMax
              ? broken(FramingError.HEAD_LENGTH, start)
              : endOfHead(at + 1);
        }
        lineStart = at + 1 - start;
      } else if (RequestHeadParser.isControl(b)
          && !(b == '\r' && (at + 1 == limit || array[offset + at + 1] == '\n'))) {
        return broken(FramingError.CONTROL, start);
      }
    }
    look(bytes, start, limit);
    return limit - start > headBytesMax ? broken(FramingError.HEAD_LENGTH, start) : start;
  }

  /**
   * Skips bytes that are visible ASCII, eight at a time. A word's highest bits become 1 where a
   * byte is below 0x20, or 0x7F and above. A borrow or a carry comes from such a byte only.
   */
  private static int skipText(ByteBuffer bytes, int from, int limit) {
    int at = from;
    while (at <= limit - Long.BYTES) {
      long word = bytes.getLong(at);
      if (((word | (word - BLANKS) | (word + ONES)) & HIGHEST_BITS) != 0) {
        break;
      }
      at += Long.BYTES;
    }
    return at;
  }

  private void look(ByteBuffer bytes, int start, int limit) {
    // Check a CR at the end again: the next byte decides whether it is valid.
    boolean endsInCr = limit > start && bytes.get(limit - 1) == '\r';
    seen = limit - start - (endsInCr ? 1 : 0);
  }

  private int endOfHead(int end) {
    bodyRemaining = lines.contentLength();
    trailerBytes = 0;
    part = lines.isChunked() ? Part.CHUNK_SIZE : bodyRemaining > 0 ? Part.BODY : Part.HEAD;
    lines.reset();
    return begin(end);
  }

  private int begin(int unit) {
    seen = 0;
    lineStart = 0;
    return unit;
  }

  private int broken(FramingError found, int start) {
    fault = found;
    return start;
  }

  private int body(int start, int limit, Part next) {
    int count = (int) Math.min(bodyRemaining, limit - start);
    bodyRemaining -= count;
    if (bodyRemaining == 0) {
      part = next;
    }
    return start + count;
  }

  private int chunkSize(ByteBuffer bytes, int start, int limit) {
    int end = lineEnd(bytes, start, limit, CHUNK_LINE_BYTES_MAX, FramingError.CHUNK);
    if (end == start) {
      return start;
    }
    long size = 0;
    int at = start;
    for (int digit = hex(bytes, at); digit >= 0; digit = hex(bytes, ++at)) {
      if (at - start >= SIZE_DIGITS_MAX) {
        return broken(FramingError.CHUNK, start);
      }
      size = size << 4 | digit;
    }
    boolean isExtended = bytes.get(at) == ';';
    if (at == start || !(isExtended || at == end - "\r\n".length())) {
      return broken(FramingError.CHUNK, start);
    }
    bodyRemaining = size;
    part = size == 0 ? Part.TRAILERS : Part.CHUNK_DATA;
    return begin(end);
  }

  private static int hex(ByteBuffer bytes, int at) {
    return RequestHeadParser.hex(bytes.get(at));
  }

  private int chunkEnd(ByteBuffer bytes, int start, int limit) {
    if (bytes.get(start) != '\r' || (limit - start > 1 && bytes.get(start + 1) != '\n')) {
      return broken(FramingError.CHUNK, start);
    }
    if (limit - start == 1) {
      return start;
    }
    part = Part.CHUNK_SIZE;
    return begin(start + "\r\n".length());
  }

  private int trailer(ByteBuffer bytes, int start, int limit) {
    int end = lineEnd(bytes, start, limit, headBytesMax - trailerBytes, FramingError.TRAILER);
    if (end == start) {
      return start;
    }
    int text = end - "\r\n".length();
    if (text == start) {
      part = Part.HEAD;
    } else if (!RequestHeadParser.isField(bytes, start, text)) {
      return broken(FramingError.TRAILER, start);
    }
    trailerBytes += end - start;
    return begin(end);
  }

  /**
   * Returns the index after the CR LF of this line, or its start if the line is incomplete or
   * faulty.
   */
  private int lineEnd(ByteBuffer bytes, int start, int limit, int bytesMax, FramingError ifBroken) {
    for (int at = start + seen; at < limit; at++) {
      byte b = bytes.get(at);
      if (b == '\n') {
        boolean isLine = at > start && bytes.get(at - 1) == '\r' && at - start < bytesMax;
        return isLine ? at + 1 : broken(ifBroken, start);
      }
      boolean mayEnd = b == '\r' && (at + 1 == limit || bytes.get(at + 1) == '\n');
      if (RequestHeadParser.isControl(b) && !mayEnd) {
        return broken(ifBroken, start);
      }
    }
    look(bytes, start, limit);
    return limit - start < bytesMax ? start : broken(ifBroken, start);
  }
}
