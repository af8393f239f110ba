package io.pensieve.server.tools;

import com.google.gson.JsonObject;
import io.pensieve.log.Change;
import io.pensieve.log.ReplayHandler;
import io.pensieve.server.http.value.StoredValue;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Prints the contents of a log, as one JSON object per line, in UTF-8. */
public final class LogDump implements ReplayHandler<byte[], byte[]> {
  private static final int BUFFER_BYTES = 64 << 10;

  private final PrintStream out;
  private final ByteArrayOutputStream buffer = new ByteArrayOutputStream();

  public LogDump(PrintStream out) {
    this.out = out;
  }

  /** The reader has closed the output. */
  public static final class OutputClosedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private OutputClosedException() {
      super("nobody reads the output", null, false, false);
    }
  }

  @Override
  public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {
    print("entry", version, put);
  }

  @Override
  public void change(long sequence, Change<byte[], byte[]> change) {
    if (change instanceof Change.Put<byte[], byte[]>) {
      print("put", sequence, change);
    } else {
      print(change instanceof Change.Remove<byte[], byte[]> ? "remove" : "touch", sequence, change);
    }
  }

  @Override
  public void progress(long bytesRead, long bytesTotal) {}

  private void print(String kind, long sequence, Change<byte[], byte[]> change) {
    JsonObject line = new JsonObject();
    line.addProperty("kind", kind);
    line.addProperty("sequence", sequence);
    add(line, "key", ByteBuffer.wrap(change.key()));
    if (change instanceof Change.Put<byte[], byte[]> put) {
      addValue(line, put.value());
      if (put.expiryMillis() != Change.NEVER) {
        line.addProperty("expiryMillis", put.expiryMillis());
      }
    }
    buffer.writeBytes((line + "\n").getBytes(StandardCharsets.UTF_8));
    if (buffer.size() >= BUFFER_BYTES) {
      flush();
    }
  }

  // A value that the server stored with a type is printed with it. Other logs may contain any
  // bytes.
  private static void addValue(JsonObject line, byte[] bytes) {
    try {
      StoredValue value = StoredValue.codec().decode(bytes);
      add(line, "value", value.bytes());
      if (!value.type().equals(StoredValue.TEXT_TYPE)) {
        line.addProperty("contentType", value.type());
      }
    } catch (IllegalArgumentException notOurs) {
      add(line, "value", ByteBuffer.wrap(bytes));
    }
  }

  private static void add(JsonObject line, String name, ByteBuffer bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(bytes.duplicate()).toString();
      line.addProperty(name, text);
    } catch (CharacterCodingException notUtf8) {
      line.addProperty(name + "Base64", base64(bytes));
    }
  }

  private static String base64(ByteBuffer bytes) {
    return StandardCharsets.US_ASCII.decode(Base64.getEncoder().encode(bytes)).toString();
  }

  /**
   * Prints the buffered lines.
   *
   * @throws OutputClosedException if the reader has closed the output
   */
  public void flush() {
    out.writeBytes(buffer.toByteArray());
    buffer.reset();
    if (out.checkError()) {
      throw new OutputClosedException();
    }
  }

  /** Prints the buffered lines before an error is reported. The error takes precedence. */
  public void flushBefore(RuntimeException broken) {
    try {
      flush();
    } catch (OutputClosedException alsoGone) {
      broken.addSuppressed(alsoGone);
    }
  }
}
