package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.StreamingCodec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Encodes a frame before it has a position. Each thread has one encoder and reuses it. */
final class FrameEncoder {
  // A short frame is encoded in the thread's own memory, and copied to the ring from there at once.
  // So the encoder, which is an old object, refers to no new array. G1 would have to look at each
  // such reference: with four stores a put, its refinement took a sixth of all processor time.
  //
  // Invariant: the checksum is that of the copied bytes. A caller may change its array meanwhile.

  private static final ThreadLocal<FrameEncoder> DRAFTS =
      ThreadLocal.withInitial(FrameEncoder::new);
  private static final byte[] NOTHING = {};

  private static final int PIECE_BYTES_MIN = 256;
  private static final int PIECE_BYTES_MAX = 8 << 10;

  private final Format.Checksum checksum = new Format.Checksum();
  private RingClaim claim = RingClaim.ofThread();
  private byte[] copyBuffer = new byte[PIECE_BYTES_MIN];
  private byte[] key = NOTHING; // of a long frame
  private byte[] value = NOTHING; // likewise, unless it is in pieces
  private final PiecewiseOutput pieces = new PiecewiseOutput();
  private boolean isEncoding; // whether a codec is writing to the pieces
  private @Nullable FrameEncoder inner; // for a codec that appends to another log meanwhile
  private long entryBytes;
  private long length;
  private boolean isShort;
  private long expiryMillis = Change.NEVER;
  private long kindWord;
  private long debtEnd; // see WriteThrottle
  private long debtBytes;

  /** This thread's encoder, with all work done that needs no position. */
  static <K, V> FrameEncoder of(Change<K, V> change, Codec<K> keyCodec, Codec<V> valueCodec) {
    FrameEncoder draft = idle();
    byte[] key = keyCodec.encode(change.key());
    if (change instanceof Change.Put<K, V> put) {
      draft.beginPut(key, put, valueCodec);
    } else {
      byte kind = change instanceof Change.Remove<K, V> ? Format.REMOVE : Format.TOUCH;
      draft.begin(kind, key, NOTHING, Change.NEVER);
    }
    return draft;
  }

  private static FrameEncoder idle() {
    FrameEncoder draft = DRAFTS.get();
    while (draft.isEncoding) {
      FrameEncoder within = draft.inner;
      if (within == null) {
        within = new FrameEncoder();
        draft.inner = within;
      }
      draft = within;
    }
    draft.pieces.clear();
    return draft;
  }

  private <K, V> void beginPut(byte[] keyBytes, Change.Put<K, V> put, Codec<V> valueCodec) {
    if (!(valueCodec instanceof StreamingCodec<V> streaming) || !streaming.streams(put.value())) {
      begin(Format.PUT, keyBytes, valueCodec.encode(put.value()), put.expiryMillis());
      return;
    }
    isEncoding = true;
    try {
      pieces.open();
      pieces.writeValue(streaming, put.value());
    } catch (RuntimeException | Error refused) {
      isEncoding = false; // first, and without a call
      pieces.clear();
      throw refused;
    }
    isEncoding = false;
    pieces.end();
    begin(Format.PUT, keyBytes, NOTHING, put.expiryMillis());
  }

  /** This thread's encoder, whatever it holds. */
  static FrameEncoder ofThread() {
    return DRAFTS.get();
  }

  /** Adds bytes appended beyond the throttle's limit: see WriteThrottle. */
  void addDebt(long end, int bytes) {
    debtEnd = end;
    debtBytes += bytes;
  }

  long debtEnd() {
    return debtEnd;
  }

  /** Answers the bytes of debt, and clears them. */
  long takeDebt() {
    long bytes = debtBytes;
    debtBytes = 0;
    return bytes;
  }

  /** This thread's encoder, holding a batch frame. */
  static FrameEncoder of(BatchFrame batch) {
    FrameEncoder draft = idle();
    draft.begin(Format.GROUP, NOTHING, batch.body(), Change.NEVER);
    draft.kindWord = batch.kindWord();
    return draft;
  }

  private void begin(byte kind, byte[] keyBytes, byte[] valueBytes, long newExpiryMillis) {
    expiryMillis = newExpiryMillis;
    kindWord = Format.kindWord(kind, keyBytes.length, newExpiryMillis);
    entryBytes = (long) keyBytes.length + valueBytes.length + pieces.size();
    length = Format.frameLength(entryBytes, newExpiryMillis);
    long needed = length + Format.Checksum.TAIL_BYTES;
    isShort = needed <= PIECE_BYTES_MAX;
    if (needed > copyBuffer.length && copyBuffer.length < PIECE_BYTES_MAX) {
      copyBuffer = new byte[PIECE_BYTES_MAX];
    }
    if (isShort) {
      Format.body(copyBuffer, Format.FRAME_HEADER_BYTES, keyBytes, valueBytes, newExpiryMillis);
      pieces.copyTo(copyBuffer, (int) length - pieces.size());
      pieces.clear();
    } else {
      key = keyBytes;
      value = valueBytes;
    }
  }

  /** The claim for this frame's ring space. */
  RingClaim claim() {
    RingClaim current = claim;
    if (current.isOpen()) {
      // An earlier append left its claim open. Abandon it: the log writer then pads its space.
      current.abandoned = true;
      current = RingClaim.ofThread();
      claim = current;
    }
    return current;
  }

  /**
   * Whether {@link #copyBuffer} holds the whole frame. If not, key and value are copied through it.
   */
  boolean isShort() {
    return isShort;
  }

  /** This thread's own memory. */
  byte[] copyBuffer() {
    return copyBuffer;
  }

  /** Completes a short frame, but for its first word, which is returned. */
  long complete(long position, long durable, long salt) {
    int bytes = (int) length;
    Format.header(copyBuffer, position, durable, kindWord);
    return Format.commitWord(
        bytes, checksum.ofFrame(copyBuffer, bytes, position, durable, kindWord, salt));
  }

  /** Restarts the checksum of the copied bytes of a long frame. */
  Format.Checksum beginChecksum() {
    checksum.begin(expiryMillis);
    return checksum;
  }

  /** Drops key and value of a long frame. */
  void clear() {
    pieces.clear();
    if (!isShort) {
      key = NOTHING;
      value = NOTHING;
    }
  }

  byte[] key() {
    return key;
  }

  byte[] value() {
    return value;
  }

  /** The value, in place of {@link #value}, if its codec has written it piece by piece. */
  PiecewiseOutput pieces() {
    return pieces;
  }

  long expiryMillis() {
    return expiryMillis;
  }

  long kindWord() {
    return kindWord;
  }

  /** The number of bytes of the caller's key and value. */
  long entryBytes() {
    return entryBytes;
  }

  /** The frame's length, which may exceed the longest frame. */
  long length() {
    return length;
  }

  /** The first word of a long frame, once the checksum has its whole body. To be called once. */
  long commitWord(long position, long durable, long salt) {
    int bytes = (int) length;
    return Format.commitWord(bytes, checksum.finish(bytes, position, durable, kindWord, salt));
  }

  /**
   * An encoded value in pieces of memory. Most pieces come from a store that all threads share: a
   * value of many MiB allocates nothing, and no thread keeps much.
   */
  static final class PiecewiseOutput extends StreamingCodec.Output {
    static final int FIRST_BYTES_MAX = PIECE_BYTES_MAX;
    static final int PIECE_BYTES = 64 << 10;

    private static final int STORED_MAX = // 4 MiB, or a 64th of the heap
        (int) Math.min(64, Runtime.getRuntime().maxMemory() / 64 / PIECE_BYTES);

    // Giving a piece back needs no memory: the frame may be in the log already.
    @GuardedBy("STORE")
    private static final byte[] @Nullable [] STORE = new byte[STORED_MAX][];

    @GuardedBy("STORE")
    private static int stored;

    private byte[] first = new byte[PIECE_BYTES_MIN]; // of this thread; grows up to the maximum
    private final List<byte[]> others = new ArrayList<>();
    private byte[] last = first; // to which is written
    private int lastBytes;
    private int size;
    private boolean isOpen;

    void open() {
      isOpen = true;
    }

    /** Refuses all further writes: a codec may have kept this object. */
    void end() {
      isOpen = false;
    }

    /** Drops the value. */
    void clear() {
      isOpen = false;
      size = 0;
      lastBytes = 0;
      if (last != first) { // a store of a reference is not free: see above
        last = first;
        synchronized (STORE) {
          for (int i = 0; i < others.size() && stored < STORED_MAX; i++) {
            STORE[stored++] = others.get(i);
          }
        }
        others.clear();
      }
    }

    @Override
    protected int size() {
      return size;
    }

    /** The number of pieces. */
    int count() {
      return size == 0 ? 0 : 1 + others.size();
    }

    byte[] piece(int i) {
      return i == 0 ? first : others.get(i - 1);
    }

    /** The number of bytes in a piece, from its beginning on. */
    int bytes(int i) {
      return i == others.size() ? lastBytes : piece(i).length;
    }

    @Override
    public void write(int oneByte) {
      reserve(1);
      last[lastBytes++] = (byte) oneByte;
      size++;
    }

    @Override
    public void write(byte[] bytes, int from, int count) {
      reserve(count);
      for (int done = 0; done < count; ) {
        if (lastBytes == last.length) {
          extend();
        }
        int part = Math.min(count - done, last.length - lastBytes);
        System.arraycopy(bytes, from + done, last, lastBytes, part);
        done += part;
        lastBytes += part;
        size += part;
      }
    }

    private void reserve(int count) {
      if (!isOpen) {
        throw new IllegalStateException("written to after the codec has returned");
      } else if (count > Format.FRAME_BYTES_MAX - size) {
        throw new IllegalArgumentException(
            "the value has more than " + Format.FRAME_BYTES_MAX + " bytes");
      } else if (lastBytes == last.length) {
        extend();
      }
    }

    private void extend() {
      if (last == first && first.length < FIRST_BYTES_MAX) {
        first = Arrays.copyOf(first, Math.min(4 * first.length, FIRST_BYTES_MAX));
        last = first;
        return;
      }
      byte[] next = takeStored();
      last = next == null ? new byte[PIECE_BYTES] : next;
      others.add(last);
      lastBytes = 0;
    }

    private static byte @Nullable [] takeStored() {
      synchronized (STORE) {
        if (stored == 0) {
          return null;
        }
        byte[] taken = STORE[--stored];
        STORE[stored] = null;
        return taken;
      }
    }

    @Override
    protected void setInt(int at, int number) {
      for (int i = 0; i < Integer.BYTES; i++) {
        set(at + i, (byte) (number >>> (i * Byte.SIZE)));
      }
    }

    private void set(int at, byte oneByte) {
      int behindFirst = at - first.length;
      if (behindFirst < 0) {
        first[at] = oneByte;
      } else {
        others.get(behindFirst / PIECE_BYTES)[behindFirst % PIECE_BYTES] = oneByte;
      }
    }

    /** Copies a value that is in one piece. */
    void copyTo(byte[] into, int at) {
      System.arraycopy(first, 0, into, at, size);
    }
  }
}
