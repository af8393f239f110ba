package io.pensieve.server.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import org.jspecify.annotations.Nullable;

/** Reads a stream of server-sent events. */
public final class EventReader implements Closeable {
  private final BufferedReader lines;

  public EventReader(InputStream stream) {
    this.lines = new BufferedReader(new InputStreamReader(stream, UTF_8));
  }

  /**
   * An event.
   *
   * @param name its type
   * @param data its data; several lines are joined
   */
  public record Event(String name, String data) {}

  /** Returns the next event that has data, or null at the end of the stream. */
  public @Nullable Event next() throws IOException {
    String name = "message";
    StringBuilder data = new StringBuilder();
    for (String line; (line = lines.readLine()) != null; ) {
      if (line.isEmpty()) {
        if (data.length() > 0) {
          return new Event(name, data.toString());
        }
        name = "message";
      } else if (line.startsWith("event:")) {
        name = line.substring("event:".length()).strip();
      } else if (line.startsWith("data:")) {
        data.append(data.length() > 0 ? "\n" : "").append(line.substring("data:".length()).strip());
      }
    }
    return null;
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
