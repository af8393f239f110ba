package io.pensieve.log.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive frames of a file, as they were read: only their lengths have been checked. Belongs to
 * one thread at a time, and is reused.
 *
 * <p>A frame longer than a chunk is a chunk by itself. It is not read before its replay: the thread
 * that has the file replays it, piece by piece.
 */
final class FrameChunk {
  private static final byte[] NOTHING = {};

  private final int bytesMax;
  private byte[] buffer = NOTHING;
  private boolean isLarge; // one frame, which is not in the buffer
  private @Nullable FrameFile file;
  private long position;
  private int length;
  private long changes;
  private long firstNumber;

  // The result of its replay. Guarded by the pipeline that owns the chunk.
  boolean done;
  long replayed; // how many changes were replayed
  @Nullable Throwable failure;

  FrameChunk(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * Reads as many frames from a position on as fit. Leaves out frames that begin at {@code to} or
   * beyond, and a footer.
   *
   * @return whether it read any; false if the next length is impossible
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
    if (available < Format.FRAME_HEADER_BYTES) { // a truncated file may end before this position
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

  // For a damaged frame this may be any number: such a chunk is not replayed to its end.
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

  /** Whether it is one frame longer than a chunk, to be replayed while the file is open. */
  boolean isLarge() {
    return isLarge;
  }

  /** Where its last frame ends, if all its frames are sound. */
  long end() {
    return position + length;
  }

  int length() {
    return length;
  }

  /** The number of changes or entries in its frames, including close markers and padding. */
  long changes() {
    return changes;
  }

  /** Sets the number of its first change in the history. */
  void number(long number) {
    firstNumber = number;
  }

  boolean isOfBase() {
    return file().isBase();
  }

  /** Replays all frames, each of which must be there. Answers how many changes they had. */
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
        count += decoder.deliver(reader, number, from.path(), from.offset(at));
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

  /** Drops the reference to the file. */
  void clear() {
    file = null;
  }
}
