package io.pensieve.server;

import io.pensieve.log.Codec;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Reads {@code op_logs.log}, the text log of the original Pensieve, in bounded memory.
 *
 * <p>A line is {@code put,KEY,VALUE} or {@code delete,KEY}, without escapes: a key ends at its
 * first comma, a value at the end of its line. The reader reports a line of any other form, and
 * continues.
 */
final class OpLogReader {
  private static final byte[] PUT = {'p', 'u', 't', ','};
  private static final byte[] DELETE = {'d', 'e', 'l', 'e', 't', 'e', ','};
  private static final int CARRIAGE_RETURN_BYTES = 1;
  private static final int SEPARATOR_BYTES = 1;
  private static final int CHUNK_BYTES = 64 << 10;
  private static final int LINE_BYTES_INITIAL = 256;

  /** Receives the operations of the lines, in order. The first line has the number 1. */
  interface Visitor {
    void put(long line, String key, String value);

    void delete(long line, String key);

    /** The line is malformed or too long, and was ignored. */
    void skipped(long line, String reason);

    /** The line was used, but is ambiguous. */
    void doubtful(long line, String reason);

    /** Called from time to time. */
    void progress(long bytesRead);
  }

  private final int keyBytesMax;
  private final int valueBytesMax;
  private final Visitor visitor;

  // The longest usable line. The reader drops the rest of a longer line.
  private final int lineBytesMax;
  private byte[] line = new byte[LINE_BYTES_INITIAL];
  private int length;
  private long lineNumber = 1;

  OpLogReader(int keyBytesMax, int valueBytesMax, Visitor visitor) {
    this.keyBytesMax = keyBytesMax;
    this.valueBytesMax = valueBytesMax;
    this.visitor = visitor;
    this.lineBytesMax =
        DELETE.length + keyBytesMax + SEPARATOR_BYTES + valueBytesMax + CARRIAGE_RETURN_BYTES;
  }

  /** Reads to the end, and returns the number of lines. */
  long read(InputStream file) throws IOException {
    byte[] chunk = new byte[CHUNK_BYTES];
    long bytesRead = 0;
    int count;
    while ((count = file.read(chunk)) > 0) {
      int start = 0;
      for (int i = 0; i < count; i++) {
        if (chunk[i] == '\n') {
          append(chunk, start, i - start);
          endLine();
          start = i + 1;
        }
      }
      append(chunk, start, count - start);
      bytesRead += count;
      visitor.progress(bytesRead);
    }
    if (length > 0) {
      visitor.doubtful(lineNumber, "no line break at its end, so the line may be cut off");
      endLine();
    }
    return lineNumber - 1;
  }

  private void append(byte[] chunk, int start, int count) {
    int kept = Math.min(count, lineBytesMax - length);
    if (length + kept > line.length) {
      line = Arrays.copyOf(line, (int) Math.min(lineBytesMax, 2L * (length + kept)));
    }
    System.arraycopy(chunk, start, line, length, kept);
    length += kept;
  }

  private void endLine() {
    int end = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
    if (startsWith(PUT, end)) {
      put(end);
    } else if (startsWith(DELETE, end)) {
      delete(end);
    } else {
      visitor.skipped(lineNumber, "expected put,KEY,VALUE or delete,KEY");
    }
    length = 0;
    lineNumber++;
  }

  private boolean startsWith(byte[] operation, int end) {
    return end >= operation.length
        && Arrays.equals(operation, 0, operation.length, line, 0, operation.length);
  }

  private int comma(int from, int end) {
    int at = from;
    while (at < end && line[at] != ',') {
      at++;
    }
    return at;
  }

  private void put(int end) {
    int comma = comma(PUT.length, end);
    if (!hasUsableKey(PUT.length, comma)) {
      return;
    }
    int value = comma + SEPARATOR_BYTES;
    if (comma == end) {
      visitor.skipped(lineNumber, "a put without a value");
    } else if (end - value > valueBytesMax) {
      visitor.skipped(
          lineNumber,
          "the value has more than "
              + valueBytesMax
              + " bytes ("
              + Setting.VALUE_BYTES_MAX.flag()
              + ")");
    } else {
      try {
        visitor.put(lineNumber, text(PUT.length, comma), text(value, end));
      } catch (IllegalArgumentException notUtf8) {
        visitor.skipped(lineNumber, "not UTF-8");
      }
    }
  }

  private void delete(int end) {
    int comma = comma(DELETE.length, end);
    if (!hasUsableKey(DELETE.length, comma)) {
      return;
    }
    try {
      visitor.delete(lineNumber, text(DELETE.length, comma));
    } catch (IllegalArgumentException notUtf8) {
      visitor.skipped(lineNumber, "not UTF-8");
      return;
    }
    if (comma < end) {
      visitor.doubtful(lineNumber, "a delete whose key has a comma: read up to the comma");
    }
  }

  private boolean hasUsableKey(int start, int end) {
    if (start == end) {
      visitor.skipped(lineNumber, "the key is empty");
    } else if (end - start > keyBytesMax) {
      visitor.skipped(
          lineNumber,
          "the key has more than " + keyBytesMax + " bytes (" + Setting.KEY_BYTES_MAX.flag() + ")");
    } else {
      return true;
    }
    return false;
  }

  private String text(int start, int end) {
    return Codec.utf8().decode(Arrays.copyOfRange(line, start, end));
  }
}
