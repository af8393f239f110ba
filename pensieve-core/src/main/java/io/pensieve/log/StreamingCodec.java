package io.pensieve.log;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A codec that writes an encoding piece by piece, so that a large value needs no array of its whole
 * length: a {@link io.pensieve.log.file.FileLog} takes the pieces, and copies them to its files. It
 * decodes as any codec.
 *
 * <pre>{@code
 * record Page(String title, byte[] body) {}
 *
 * Codec<Page> pages =
 *     new StreamingCodec<>() {
 *       public void encode(Page page, Output into) {
 *         into.writeSized(Codec.utf8(), page.title());
 *         into.writeValue(Codec.bytes(), page.body());
 *       }
 *
 *       public Page decode(byte[] bytes) {
 *         int bodyAt = Integer.BYTES + Byte.toUnsignedInt(bytes[0]); // titles are short
 *         byte[] title = Arrays.copyOfRange(bytes, Integer.BYTES, bodyAt);
 *         return new Page(
 *             Codec.utf8().decode(title), Arrays.copyOfRange(bytes, bodyAt, bytes.length));
 *       }
 *
 *       public String name() {
 *         return "page";
 *       }
 *     };
 * }</pre>
 *
 * <p>The codecs of {@link Codec} for lists, optionals and records are such codecs, and so is {@link
 * Codec#utf8()} for long strings. {@link Codec#bytes()} needs no pieces: it does not copy at all.
 *
 * @param <T> what is encoded
 */
public interface StreamingCodec<T> extends Codec<T> {

  /**
   * Writes a value's encoding. When this method throws, the write of the entry is refused and
   * changes nothing.
   *
   * @param into must not be used after this method has returned
   * @throws IllegalArgumentException if the value has no lossless encoding
   * @throws IOException for the same reason: {@code into} itself throws none
   */
  void encode(T value, Output into) throws IOException;

  /** As {@link #encode(Object, Output)}, in an array. */
  @Override
  default byte[] encode(T value) {
    return Output.array(this, value);
  }

  /**
   * Whether it pays to encode this value piece by piece. If not, {@link #encode(Object)} is used,
   * which may be faster for a short value. Both must give the same bytes.
   */
  default boolean streams(T value) {
    return true;
  }

  /**
   * Receives an encoding, and copies what it is given. Numbers are little-endian. Not thread-safe.
   */
  abstract class Output extends OutputStream {
    /** For the subclass of a log. */
    protected Output() {}

    @Override
    public abstract void write(int oneByte);

    @Override
    public abstract void write(byte[] bytes, int from, int count);

    @Override
    public final void write(byte[] bytes) {
      write(bytes, 0, bytes.length);
    }

    /** Does nothing: there is nothing to close. */
    @Override
    public final void close() {}

    /** Writes a number in 4 bytes. */
    public final void writeInt(int number) {
      for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
        write(number >>> shift);
      }
    }

    /** Writes a number in 8 bytes. */
    public final void writeLong(long number) {
      writeInt((int) number);
      writeInt((int) (number >>> Integer.SIZE));
    }

    /** Writes the encoding of a part of the value. */
    public final <P> void writeValue(Codec<P> codec, P part) {
      if (codec instanceof StreamingCodec<P> streaming && streaming.streams(part)) {
        stream(streaming, part);
      } else {
        write(codec.encode(part));
      }
    }

    private <P> void stream(StreamingCodec<P> codec, P part) {
      try {
        codec.encode(part, this);
      } catch (IOException refused) {
        throw new IllegalArgumentException("not encodable", refused);
      }
    }

    /** Writes the length of a part's encoding, as by {@link #writeInt}, and the encoding. */
    public final <P> void writeSized(Codec<P> codec, P part) {
      int at = size();
      writeInt(0);
      writeValue(codec, part);
      setInt(at, size() - at - Integer.BYTES);
    }

    /** The number of bytes that were written so far. */
    protected abstract int size();

    /** Replaces 4 bytes that were written before by a number. */
    protected abstract void setInt(int at, int number);

    static <P> byte[] array(StreamingCodec<P> codec, P value) {
      ArrayOutput encoding = new ArrayOutput();
      ((Output) encoding).stream(codec, value);
      // Often the last part is the largest, and then the array has just the right length.
      return encoding.size == encoding.bytes.length
          ? encoding.bytes
          : Arrays.copyOf(encoding.bytes, encoding.size);
    }

    /** An encoding in an array that grows. */
    private static final class ArrayOutput extends Output {
      private static final int BYTES_MIN = 64;
      private static final int BYTES_MAX = Integer.MAX_VALUE - 8; // the longest array

      private byte[] bytes = new byte[BYTES_MIN];
      private int size;

      @Override
      public void write(int oneByte) {
        reserve(1);
        bytes[size++] = (byte) oneByte;
      }

      @Override
      public void write(byte[] from, int at, int count) {
        reserve(count);
        System.arraycopy(from, at, bytes, size, count);
        size += count;
      }

      private void reserve(int count) {
        if (count > BYTES_MAX - size) {
          throw new IllegalArgumentException("too large: more than " + BYTES_MAX + " bytes");
        }
        if (count > bytes.length - size) {
          long grown = Math.max(2L * bytes.length, (long) size + count);
          bytes = Arrays.copyOf(bytes, (int) Math.min(grown, BYTES_MAX));
        }
      }

      @Override
      protected int size() {
        return size;
      }

      @Override
      protected void setInt(int at, int number) {
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, number);
      }
    }
  }
}
