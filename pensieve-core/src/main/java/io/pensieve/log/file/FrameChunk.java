package io.pensieve.log.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Frames that follow one another in a file, as they were read: their lengths have been looked at
 * and nothing else. Belongs to one thread at a time, and is used again and again.
 *
 * <p>A frame that is longer than a batch is a batch by itself, and is not read before it is told:
 * by the thread that has the file, piece by piece.
 */
final class FrameChunk {
  private static final byte[] NOTHING = {};

  private final int bytesMax;
  private byte[] buffer = NOTHING;
  private boolean isLarge; // one frame that is not in the buffer
  private @Nullable FrameFile file;
  private long position;
  private int length;
  private long changes;
  private long firstNumber;

  // What became of it. Guarded by the telling that it belongs to.
  boolean done;
  long replayed; // how many changes
  @Nullable Throwable failure;

  FrameChunk(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * Reads frames from a position on, as many as fit, but none that begins at {@code to} or beyond,
   * and no footer.
   *
   * @return whether there is one; not so if the next length is impossible
   */
  boolean read(FrameFile from, long at, long to) throws IOException {
    file = from;
    position = at;
    length = 0;
    isLarge = false;
    changes = 0;
    firstNumber = 0;
    done = false;
    replayed = 0;
    failure = null;
    long available = from.limit() - at;
    if (available < Format.FRAME_HEADER_BYTES) { // a file that was cut may end before this place
      return false;
    }
    buffer = atLeast(buffer, (int) Math.min(bytesMax, available));
    int loaded = (int) Math.min(buffer.length, available);
    from.file().read(ByteBuffer.wrap(buffer, 0, loaded), from.offset(position));
    split(loaded, available, to);
    if (length == 0 && at < to && loaded >= Format.FRAME_HEADER_BYTES) {
      takeLarge(available);
    }
    return length > 0;
  }

  private static byte[] atLeast(byte[] bytes, int needed) {
    return bytes.length >= needed ? bytes : new byte[needed];
  }

  private void split(int loaded, long available, long to) {
    while (position + length < to && loaded - length >= Format.FRAME_HEADER_BYTES) {
      int frame = Format.length(buffer, length);
      if (!Format.lengthIsPossible(frame, available - length)
          || Format.align(frame) > loaded - length
          || isFooter(length)) {
        return;
      }
      changes += changesAt(length);
      length += Format.align(frame);
    }
  }

  // Of a frame that is damaged this may be anything: such a batch is not told to its end.
  private int changesAt(int frame) {
    return isOfBase() ? 1 : Format.changes(buffer, frame);
  }

  private boolean isFooter(int frame) {
    return isOfBase() && Format.kind(buffer, frame) == Format.FOOTER;
  }

  private void takeLarge(long available) {
    int frame = Format.length(buffer, 0);
    if (Format.lengthIsPossible(frame, available)
        && Format.position(buffer, 0) == position
        && !isFooter(0)) {
      isLarge = true;
      length = Format.align(frame);
      changes = changesAt(0);
    }
  }

  /** Whether it is one frame that is longer than a batch, to be told while the file is open. */
  boolean isLarge() {
    return isLarge;
  }

  /** Where its last frame ends, if all of them are sound. */
  long end() {
    return position + length;
  }

  int length() {
    return length;
  }

  /** How many changes or entries its frames are, close markers and padding included. */
  long changes() {
    return changes;
  }

  /** Says which one of the history its first change is. */
  void number(long number) {
    firstNumber = number;
  }

  boolean isOfBase() {
    return file().isBase();
  }

  /** Tells all frames, each of which must be there, and answers how many changes they were. */
  long replay(ChangeDecoder<?, ?> decoder) throws IOException {
    FrameFile from = file();
    FrameReader reader =
        isLarge
            ? from.reader(position, end(), bytesMax)
            : FrameReader.of(buffer, length, position, from.header().salt());
    long count = 0;
    long number = firstNumber;
    while (reader.position() < end()) {
      long at = reader.position();
      if (!reader.next()) {
        throw from.frameMissing(at);
      }
      if (from.isBase()) {
        count += decoder.deliverEntry(reader, at, number++, from);
      } else {
        count += decoder.deliver(reader, at, number, from);
        number += reader.changes();
      }
    }
    return count;
  }

  private FrameFile file() {
    FrameFile current = file;
    assert current != null : "a batch that was read";
    return current;
  }

  /** Lets go of the file. */
  void clear() {
    file = null;
  }
}
