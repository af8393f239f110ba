package io.pensieve.log.file;

import io.pensieve.log.Change;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;

/** The mapped file in which writers store frames, and from which the log writer takes them. */
final class RingBuffer {
  // Invariant: released <= position of every frame in the ring < tail <= released + capacity. Every
  // byte from tail to released + capacity is 0.
  //
  // Order of effects. A writer claims [position, end) by a compare-and-set of tail. It reads
  // `released` before that, so it sees the zeros that the log writer stored before it published
  // `released`. The writer stores its frame, and last, by a release, the frame's first word. The
  // log writer reads that word by an acquire: a word other than 0 means that the whole frame is
  // there.
  //
  // Why a committed frame survives SIGKILL. The mapping is shared, so a store goes to a page of the
  // kernel's cache, which outlives the process. A killed thread leaves a prefix of its stores in
  // program order. The release keeps compiler and processor from moving the first word before the
  // rest. Stores that a processor still holds in its store buffer reach memory before another
  // thread runs there.
  //
  // Holes. A kill can leave claimed space whose first word is 0. Recovery steps over it, since each
  // frame names its position.

  /** No space now: the log writer must release some first. */
  static final long NO_ROOM = -1;

  /** No space ever again: the log is being closed, or has failed. */
  static final long SEALED = -2;

  private static final long SEAL = Long.MIN_VALUE;
  private static final AtomicLong NUMBERS = new AtomicLong(RingClaim.NO_RING);
  private static final byte[] ZEROS = new byte[64 << 10];
  private static final VarHandle WORD =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final long number = NUMBERS.incrementAndGet();
  private final ByteBuffer memory;
  private final int capacity;
  private final long salt;
  private final AtomicLong tail; // where the next frame goes; with SEAL no frame may
  private final AtomicLong released; // only the log writer stores it
  private volatile long written; // likewise; all before is in a segment, and will be zeroed

  RingBuffer(ByteBuffer memory, int capacity, long start, long salt) {
    this.memory = memory;
    this.capacity = capacity;
    this.salt = salt;
    this.tail = new AtomicLong(start);
    this.released = new AtomicLong(start);
    this.written = start;
  }

  /** Claims space: answers its position, or {@link #NO_ROOM}, or {@link #SEALED}. */
  long tryClaim(int bytes) {
    while (true) {
      long position = tail.get();
      if (position < 0) {
        return SEALED;
      }
      if (position + bytes - released.get() > capacity) {
        return NO_ROOM;
      }
      if (tail.compareAndSet(position, position + bytes)) {
        return position;
      }
    }
  }

  /** Refuses all further claims. Answers where the last claimed frame ends. */
  long seal() {
    while (true) { // needs no memory
      long position = tail.get();
      if (position < 0 || tail.compareAndSet(position, position | SEAL)) {
        return position & ~SEAL;
      }
    }
  }

  boolean isSealed() {
    return tail.get() < 0;
  }

  /** Where the last frame claimed so far ends. */
  long end() {
    return tail.get() & ~SEAL;
  }

  /** Stores a frame in claimed space, and commits it. */
  void write(long position, long durable, FrameEncoder draft) {
    long commitWord =
        draft.isShort() ? putShort(position, durable, draft) : putLong(position, durable, draft);
    WORD.setRelease(memory, index(position), commitWord);
  }

  // Both return the frame's first word, and store all words but that.
  private long putShort(long position, long durable, FrameEncoder draft) {
    long commitWord = draft.complete(position, durable, salt);
    put(position + Long.BYTES, draft.copyBuffer(), Long.BYTES, (int) draft.length() - Long.BYTES);
    return commitWord;
  }

  private long putLong(long position, long durable, FrameEncoder draft) {
    putWord(position + Format.POSITION_AT, position);
    putWord(position + Format.DURABLE_AT, durable);
    putWord(position + Format.KIND_WORD_AT, draft.kindWord());
    long body = position + Format.FRAME_HEADER_BYTES;
    if (draft.expiryMillis() != Change.NEVER) {
      putWord(body, draft.expiryMillis());
      body += Format.EXPIRY_BYTES;
    }
    Format.Checksum checksum = draft.beginChecksum();
    putBytes(body, draft.key(), draft.copyBuffer(), checksum);
    body += draft.key().length;
    putBytes(body, draft.value(), draft.copyBuffer(), checksum);
    FrameEncoder.PiecewiseOutput pieces = draft.pieces(); // of a value that was streamed
    for (int i = 0; i < pieces.count(); i++) {
      checksum.add(pieces.piece(i), pieces.bytes(i));
      put(body, pieces.piece(i), 0, pieces.bytes(i));
      body += pieces.bytes(i);
    }
    return draft.commitWord(position, durable, salt);
  }

  private void putWord(long position, long word) {
    WORD.set(memory, index(position), word);
  }

  // Copies piece by piece through the writer's own memory. A caller may change its array meanwhile,
  // and the checksum must match the stored bytes.
  private void putBytes(long position, byte[] bytes, byte[] piece, Format.Checksum checksum) {
    for (int from = 0; from < bytes.length; from += piece.length) {
      int count = Math.min(piece.length, bytes.length - from);
      System.arraycopy(bytes, from, piece, 0, count);
      checksum.add(piece, count);
      put(position + from, piece, 0, count);
    }
  }

  private void put(long position, byte[] bytes, int from, int count) {
    int first = (int) Math.min(count, capacity - (position & (capacity - 1)));
    memory.put(index(position), bytes, from, first);
    memory.put(FileHeader.BYTES, bytes, from + first, count - first);
  }

  /** Commits claimed space that no writer will fill, as padding without a change. */
  void pad(long position, int bytes, long durable) {
    byte[] frame = Format.bareFrame(Format.PADDING, bytes, position, durable, salt);
    put(position + Long.BYTES, frame, Long.BYTES, bytes - Long.BYTES);
    WORD.setRelease(memory, index(position), Format.wordAt(frame, 0));
  }

  /** A number that no other ring of this process has. */
  long number() {
    return number;
  }

  private int index(long position) {
    return FileHeader.BYTES + (int) (position & (capacity - 1));
  }

  /** All space before this position is free again. */
  long released() {
    return released.get();
  }

  /** The bytes of ring space of the frame at this position, or 0 if none is committed there. */
  int committedBytes(long position) {
    long word = (long) WORD.getAcquire(memory, index(position));
    return word == 0 ? 0 : Format.align(Format.lengthOf(word));
  }

  /** The end of the consecutive committed frames from here on, within so many bytes. */
  long committedEnd(long from, long bytesMax) {
    long end = from;
    // In a full ring, the byte at `from + capacity` is that of the first frame again.
    while (end - from < capacity) {
      int bytes = committedBytes(end);
      if (bytes == 0 || end + bytes - from > bytesMax) {
        break;
      }
      end += bytes;
    }
    return end;
  }

  /** All frames before this position are committed by now. For any thread. */
  long committedPrefix() {
    long end = written;
    while (end < end()) {
      int bytes = committedBytes(end);
      long done = written;
      if (done > end) {
        end = done; // the word just read may be zero, or a newer frame's
      } else if (bytes == 0) {
        break;
      } else {
        end += bytes;
      }
    }
    return end;
  }

  /** The bytes of this range without a copy, in one or two pieces. */
  ByteBuffer[] slices(long from, long to) {
    int bytes = (int) (to - from);
    int first = (int) Math.min(bytes, capacity - (from & (capacity - 1)));
    ByteBuffer head = memory.slice(index(from), first);
    return first == bytes
        ? new ByteBuffer[] {head}
        : new ByteBuffer[] {head, memory.slice(FileHeader.BYTES, bytes - first)};
  }

  /** Records for recovery that the log is forced up to here. For the log writer only. */
  void forced(long end) {
    WORD.setRelease(memory, FileHeader.RING_FORCED_AT, end);
  }

  /**
   * Releases the space of frames that are in a segment now. Needs no memory, and may be repeated.
   * For the log writer only.
   */
  void release(long from, long to) {
    written = to;
    VarHandle.storeStoreFence(); // a reader that finds the zeros then finds `written` moved, too
    for (long at = from; at < to; at += ZEROS.length) {
      put(at, ZEROS, 0, (int) Math.min(ZEROS.length, to - at));
    }
    // Store these after the zeros: recovery ignores all ring content before them as old.
    WORD.setRelease(memory, FileHeader.RING_WRITTEN_AT, to);
    WORD.setRelease(memory, FileHeader.RING_WRITTEN_AGAIN_AT, to);
    released.set(to);
  }
}
