package io.pensieve.log.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Reads frames in sequence, and finds whole frames behind damaged bytes. */
final class FrameReader {
  private static final byte[] NOTHING = {};
  private static final int WINDOW_BYTES = 256 << 10;

  // A frame longer than the window is verified piece by piece. Afterwards only its beginning is in
  // the window. The reader reads other parts on request, into an array of their own length. So
  // reading a value of 16 MiB needs 16 MiB, and not twice as much. A batch frame is the exception.
  // Its changes are located inside it, so the window holds it as a whole, and shrinks again with
  // the next frame.

  private final Source source;
  private final long firstPosition;
  private final long bytes;
  private final int windowBytes;
  private final Format.Checksum checksum;

  // The window holds the source's bytes [windowAt, windowAt + loadedBytes).
  private byte[] window = NOTHING;
  private long windowAt;
  private int loadedBytes;

  private long position; // of the next frame to read
  private int frame; // the window index of the frame read last

  // The change read last: the frame, or one change of a batch. See Format.LEFT_OUT_BYTES.
  private int change;
  private int changeEnd; // without the alignment zeros behind it
  private int nextChange; // where the frame's next change would begin

  /**
   * Creates a reader of frames.
   *
   * @param source where to read the bytes
   * @param bytes how many bytes there are
   * @param firstPosition the position of the first byte in the log's stream
   */
  FrameReader(Source source, long bytes, long firstPosition, long salt) {
    this(source, bytes, firstPosition, salt, WINDOW_BYTES);
  }

  /**
   * Creates a reader with another window size, to use less memory.
   *
   * @param windowBytes the bytes to read at a time, unless a frame is longer
   */
  FrameReader(Source source, long bytes, long firstPosition, long salt, int windowBytes) {
    this.source = source;
    this.bytes = bytes;
    this.windowBytes = windowBytes;
    this.firstPosition = firstPosition;
    this.position = firstPosition;
    this.checksum = new Format.Checksum(salt);
  }

  /** Creates a reader of frames in memory, at the beginning of an array. */
  static FrameReader of(byte[] bytes, int count, long firstPosition, long salt) {
    FrameReader reader =
        new FrameReader(
            (into, at) -> {
              throw new AssertionError("all of it is in memory");
            },
            count,
            firstPosition,
            salt,
            count);
    reader.window = bytes;
    reader.loadedBytes = count;
    return reader;
  }

  /** Reads bytes; offset 0 is the first byte of the first frame. */
  interface Source {
    void read(ByteBuffer into, long at) throws IOException;
  }

  long position() {
    return position;
  }

  /** Where the bytes end, with or without frames there. */
  long limit() {
    return firstPosition + bytes;
  }

  void seek(long newPosition) {
    position = newPosition;
  }

  /** Moves past the frame at the current position. Stays and answers false if there is none. */
  boolean next() throws IOException {
    if (!frameIsAt(position)) {
      return false;
    }
    int length = Format.length(window, frame);
    position += Format.align(length);
    change = frame;
    changeEnd = frame + length;
    nextChange = frame;
    return true;
  }

  /**
   * Moves to the first change of the frame read last, then to its next one. The frame must be
   * understood. Answers false after its last change.
   */
  boolean nextChange() {
    int end = frame + Format.align(Format.length(window, frame));
    if (nextChange == end) {
      return false;
    }
    if (kind() == Format.GROUP) {
      int at = nextChange == frame ? frame + Format.FRAME_HEADER_BYTES : nextChange;
      int length = (int) Format.wordAt(window, at);
      change = at - Format.LEFT_OUT_BYTES;
      changeEnd = at + length;
      nextChange = at + Format.align(length);
    } else {
      nextChange = end;
    }
    return true;
  }

  /**
   * Moves to the next whole frame from here on. Moves to the end and answers false if there is
   * none.
   */
  boolean seekFrame() throws IOException {
    while (position < limit()) {
      if (frameIsAt(position)) {
        return true;
      }
      position += Format.FRAME_ALIGNMENT;
      skipOtherPositions();
    }
    return false;
  }

  // Moves over places in the window that do not name their own position: no frame begins there. An
  // opening may look at all places of a ring or of a segment's tail, millions of them.
  private void skipOtherPositions() {
    long at = position - firstPosition - windowAt;
    if (at >= 0 && at < loadedBytes) {
      int places = loadedBytes - Format.FRAME_HEADER_BYTES;
      position += Format.findPosition(window, (int) at, places, position) - at;
    }
  }

  private boolean frameIsAt(long candidate) throws IOException {
    long at = candidate - firstPosition;
    if (at < 0 || bytes - at < Format.FRAME_HEADER_BYTES) {
      return false;
    }
    load(at, Format.FRAME_HEADER_BYTES);
    frame = (int) (at - windowAt);
    int length = Format.length(window, frame);
    if (!Format.lengthIsPossible(length, bytes - at)
        || Format.position(window, frame) != candidate) {
      return false;
    }
    int room = Format.align(length);
    if (room > windowBytes && Format.kind(window, frame) != Format.GROUP) {
      return isLongFrame(at, length);
    }
    load(at, room);
    frame = (int) (at - windowAt);
    return Format.isFrame(window, frame, loadedBytes - frame, candidate, checksum);
  }

  // The header is in the window. The frame is longer than the window.
  private boolean isLongFrame(long at, int length) throws IOException {
    Format.FrameHeader header = Format.FrameHeader.of(window, frame);
    checksum.begin();
    for (long next = at + Format.FRAME_HEADER_BYTES; next < at + length; ) {
      int count = (int) Math.min(windowBytes, at + length - next);
      load(next, count);
      checksum.update(window, (int) (next - windowAt), count);
      next += count;
    }
    load(at, Format.FRAME_HEADER_BYTES);
    frame = (int) (at - windowAt);
    return checksum.isOf(header);
  }

  private void load(long at, int needed) throws IOException {
    if (at >= windowAt && at + needed <= windowAt + loadedBytes) {
      return;
    }
    int wanted = (int) Math.min(bytes, Math.max(needed, windowBytes));
    if (wanted != window.length) {
      window = NOTHING; // frees the old window before allocating the new one
      window = new byte[wanted];
    }
    windowAt = at;
    loadedBytes = 0;
    int length = (int) Math.min(window.length, bytes - at);
    source.read(ByteBuffer.wrap(window, 0, length), at);
    loadedBytes = length;
  }

  /** Whether nothing was ever committed at the current position. */
  boolean isZero() throws IOException {
    long at = position - firstPosition;
    if (bytes - at < Long.BYTES) {
      return true;
    }
    load(at, Long.BYTES);
    return Format.wordAt(window, (int) (at - windowAt)) == 0;
  }

  /** The end of the last word other than zero, from the current position on. */
  long contentEnd() throws IOException {
    long end = position;
    for (long at = position - firstPosition; at < bytes; at += Long.BYTES) {
      int wordBytes = (int) Math.min(Long.BYTES, bytes - at);
      load(at, wordBytes);
      int word = (int) (at - windowAt);
      if (!isZero(word, wordBytes)) {
        end = firstPosition + at + wordBytes;
      } else {
        at += Format.zeroBytes(window, word + Long.BYTES, loadedBytes);
      }
    }
    return end;
  }

  private boolean isZero(int at, int wordBytes) {
    if (wordBytes == Long.BYTES) {
      return Format.wordAt(window, at) == 0;
    }
    for (int i = at; i < at + wordBytes; i++) {
      if (window[i] != 0) {
        return false;
      }
    }
    return true;
  }

  // The methods below read the frame read last.

  byte kind() {
    return Format.kind(window, frame);
  }

  boolean isUnderstood(int kinds) {
    return Format.isUnderstood(window, frame, kinds);
  }

  /** The number of changes in the frame. */
  int changes() {
    return Format.changes(window, frame);
  }

  long durable() {
    return Format.durable(window, frame);
  }

  long version() {
    return Format.version(window, frame);
  }

  /** The count in a footer, or -1 if the frame is too short to be one. */
  long count() {
    return Format.length(window, frame) == Format.FOOTER_BYTES ? Format.count(window, frame) : -1;
  }

  /** The whole frame, with its alignment bytes. */
  byte[] frameBytes() throws IOException {
    return bytes(frame, frame + Format.align(Format.length(window, frame)));
  }

  // Answers bytes of the file; indexes count as if the window held all of it.
  private byte[] bytes(int from, int to) throws IOException {
    if (to <= loadedBytes) {
      return Arrays.copyOfRange(window, from, to);
    }
    byte[] read = new byte[to - from];
    source.read(ByteBuffer.wrap(read), windowAt + from);
    return read;
  }

  // The methods below read the change read last.

  byte changeKind() {
    return Format.kind(window, change);
  }

  /** The change's sequence: the position where it ends. */
  long sequence() {
    return position - (frame + Format.align(Format.length(window, frame)) - nextChange);
  }

  long expiryMillis() {
    return Format.expiryMillis(window, change);
  }

  byte[] key() throws IOException {
    return bytes(Format.keyAt(window, change), Format.valueAt(window, change));
  }

  byte[] value() throws IOException {
    return bytes(Format.valueAt(window, change), changeEnd);
  }
}
