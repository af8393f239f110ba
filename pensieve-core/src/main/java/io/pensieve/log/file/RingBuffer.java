package io.pensieve.log.file;

import io.pensieve.log.Change;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;

/** The mapped file in which writers leave their frames, and from which the scribe takes them. */
final class RingBuffer {
  // Invariant: released <= position of every frame in the ring < tail <= released + capacity, and
  // every byte from tail to released + capacity is 0.
  //
  // Order of effects. A writer claims [position, end) by a compare-and-set of tail, which reads
  // `released` first: so it sees the zeros that the scribe stored before it published `released`.
  // It stores its frame and last, by a release, the frame's first word. The scribe reads that word
  // by an acquire: not 0 means that the whole frame is there.
  //
  // Why a committed frame survives SIGKILL: the mapping is shared, so a store goes to a page of the
  // kernel's cache that outlives the process. A killed thread's stores before the kill are a prefix
  // of its stores in program order (the release keeps the compiler and the processor from moving
  // the first word before the rest), and whatever a processor still had in its store buffer is
  // in memory before anybody else runs there. What a kill can leave is a hole: room that was
  // claimed and whose first word is 0. Recovery steps over it, for each frame names its position.

  /** No room now: the scribe must release some first. */
  static final long NO_ROOM = -1;

  /** No room ever again: the log is being closed, or has failed. */
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
  private final AtomicLong tail; // where the next frame goes; with SEAL: none may
  private final AtomicLong released; // stored by the scribe only
  private volatile long written; // likewise: up to here all is in a segment; zeros are to come

  RingBuffer(ByteBuffer memory, int capacity, long start, long salt) {
    this.memory = memory;
    this.capacity = capacity;
    this.salt = salt;
    this.tail = new AtomicLong(start);
    this.released = new AtomicLong(start);
    this.written = start;
  }

  /** The position of claimed room, or {@link #NO_ROOM}, or {@link #SEALED}. */
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

  /** From now on nobody can claim. Answers where the last frame ends. */
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

  /** Where the last frame ends that was claimed so far. */
  long end() {
    return tail.get() & ~SEAL;
  }

  /** Stores a frame in claimed room, and commits it. */
  void write(long position, long durable, FrameEncoder draft) {
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
    putBytes(body + draft.key().length, draft.value(), draft.copyBuffer(), checksum);
    WORD.setRelease(memory, index(position), draft.commitWord(position, durable, salt));
  }

  private void putWord(long position, long word) {
    WORD.set(memory, index(position), word);
  }

  // Piece by piece by way of memory that is the writer's alone: a caller may change its array
  // meanwhile, and the checksum must be that of the bytes which are stored.
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
    memory.put(Format.FILE_HEADER_BYTES, bytes, from + first, count - first);
  }

  /** Commits claimed room that nobody will fill: as padding, which says nothing. */
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
    return Format.FILE_HEADER_BYTES + (int) (position & (capacity - 1));
  }

  /** Up to where all room is free again. */
  long released() {
    return released.get();
  }

  /** The room that the frame at this position takes, or 0 if none is committed there. */
  int committedBytes(long position) {
    long word = (long) WORD.getAcquire(memory, index(position));
    return word == 0 ? 0 : Format.align(Format.lengthOf(word));
  }

  /** Where the committed frames end that follow one another from here, within so many bytes. */
  long committedEnd(long from, long bytesMax) {
    long end = from;
    // The ring may be full: beyond its capacity begins the first frame again.
    while (end - from < capacity) {
      int bytes = committedBytes(end);
      if (bytes == 0 || end + bytes - from > bytesMax) {
        break;
      }
      end += bytes;
    }
    return end;
  }

  /** Up to where everything is committed by now. For any thread. */
  long committedPrefix() {
    long end = written;
    while (end < end()) {
      int bytes = committedBytes(end);
      long done = written;
      if (done > end) {
        end = done; // what was read may have been zeros, or another frame's by then
      } else if (bytes == 0) {
        break;
      } else {
        end += bytes;
      }
    }
    return end;
  }

  /** These bytes as they are, in one or two pieces. */
  ByteBuffer[] slices(long from, long to) {
    int bytes = (int) (to - from);
    int first = (int) Math.min(bytes, capacity - (from & (capacity - 1)));
    ByteBuffer head = memory.slice(index(from), first);
    return first == bytes
        ? new ByteBuffer[] {head}
        : new ByteBuffer[] {head, memory.slice(Format.FILE_HEADER_BYTES, bytes - first)};
  }

  /** Notes for recovery that the log was forced up to here. For the scribe only. */
  void forced(long end) {
    WORD.setRelease(memory, Format.RING_FORCED_AT, end);
  }

  /**
   * Gives back the room of frames that are in a segment now. Needs no memory, and may be repeated.
   * For the scribe only.
   */
  void release(long from, long to) {
    written = to;
    VarHandle.storeStoreFence(); // who finds the zeros in time finds that, too
    for (long at = from; at < to; at += ZEROS.length) {
      put(at, ZEROS, 0, (int) Math.min(ZEROS.length, to - at));
    }
    // After the zeros: recovery takes what lies before it for old.
    WORD.setRelease(memory, Format.RING_WRITTEN_AT, to);
    WORD.setRelease(memory, Format.RING_WRITTEN_AGAIN_AT, to);
    released.set(to);
  }
}
