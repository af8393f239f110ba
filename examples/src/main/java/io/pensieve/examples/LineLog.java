package io.pensieve.examples;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A log that people can read and grep: one change a line, oldest first, in one file.
 *
 * <pre>
 * 1 put colour dark%20blue
 * 2 touch colour
 * 3 remove colour
 * closed
 * </pre>
 *
 * <p>Survives {@code kill -9}; forces only when closed. Never compacts: the file grows with every
 * change. Does not lock the file: open it once.
 */
public final class LineLog<K, V> implements Log<K, V> {
  private static final String CLOSED = "closed";

  private final Path file;
  private final Codec<K> keys;
  private final Codec<V> values;
  private @Nullable FileOutputStream lines; // from replay until close; guarded by this
  private long lastSequence; // guarded by this
  private boolean open; // guarded by this: replayed, not failed, not closed

  // A line reaches the kernel in one write before append returns, so the death of the process
  // leaves whole lines. A last line without its end was never acknowledged, and is cut.
  public LineLog(Path file, Codec<K> keys, Codec<V> values) {
    this.file = file;
    this.keys = keys;
    this.values = values;
  }

  @Override
  public synchronized RecoveryReport replay(ReplayHandler<K, V> handler) {
    if (lines != null) {
      throw new IllegalStateException(file + " is open already, for another map");
    }
    long started = System.nanoTime();
    lastSequence = 0;
    try {
      // Latin-1: a character is a byte, so that an index is an offset.
      String text = Files.exists(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : "";
      int end = text.lastIndexOf('\n') + 1;
      String last = "";
      long changes = 0;
      for (int at = 0; at < end; at += last.length() + 1) {
        last = text.substring(at, text.indexOf('\n', at));
        if (!last.equals(CLOSED)) {
          replayLine(last, at, handler);
          changes++;
        }
      }
      Optional<RecoveryReport.TornTail> torn =
          end == text.length() ? Optional.empty() : Optional.of(cut(text, end));
      boolean clean = text.isEmpty() || (torn.isEmpty() && last.equals(CLOSED));
      lines = new FileOutputStream(file.toFile(), true); // the last that may fail: see Log
      open = true;
      Duration elapsed = Duration.ofNanos(System.nanoTime() - started);
      return new RecoveryReport(changes, text.length(), clean, torn, elapsed);
    } catch (IOException unreadable) {
      throw new LogException.Failed(file + ": " + unreadable, unreadable);
    }
  }

  private void replayLine(String line, int offset, ReplayHandler<K, V> handler) {
    Change<K, V> change;
    try {
      String[] words = line.split(" ", -1);
      change = parse(words);
      long sequence = Long.parseLong(words[0]);
      if (sequence <= lastSequence) {
        throw new IllegalArgumentException("out of order");
      }
      lastSequence = sequence;
    } catch (IllegalArgumentException | IndexOutOfBoundsException damaged) {
      throw new LogException.Corrupt(file, offset, "a change", '"' + line + '"');
    }
    handler.change(lastSequence, change);
  }

  private Change<K, V> parse(String[] words) {
    K key = keys.decode(Percent.unescape(words[2]));
    return switch (words[1] + " of " + words.length) {
      case "put of 4" -> new Change.Put<>(key, values.decode(Percent.unescape(words[3])));
      case "remove of 3" -> new Change.Remove<>(key);
      case "touch of 3" -> new Change.Touch<>(key);
      default -> throw new IllegalArgumentException("no such change");
    };
  }

  private RecoveryReport.TornTail cut(String text, int end) throws IOException {
    Path copy = file.resolveSibling(file.getFileName() + ".torn");
    Files.writeString(copy, text.substring(end), StandardCharsets.ISO_8859_1);
    try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
      channel.truncate(end);
    }
    return new RecoveryReport.TornTail(file, end, text.length() - end, copy);
  }

  @Override
  public synchronized long append(Change<K, V> change) {
    if (lines == null || !open) {
      throw new IllegalStateException(file + " is not open");
    }
    write(lines, lastSequence + 1 + " " + wordsOf(change));
    return ++lastSequence;
  }

  private String wordsOf(Change<K, V> change) {
    String key = Percent.escape(keys.encode(change.key()));
    if (change instanceof Change.Put<K, V> put) {
      return "put " + key + " " + Percent.escape(values.encode(put.value()));
    }
    return (change instanceof Change.Touch ? "touch " : "remove ") + key;
  }

  private void write(FileOutputStream stream, String line) {
    try {
      stream.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
    } catch (IOException failed) {
      open = false; // half a line may be there: nothing may follow it
      throw new LogException.Failed(file + ": " + failed, failed);
    }
  }

  @Override
  public synchronized void close() {
    FileOutputStream closing = lines;
    try (closing) {
      if (closing != null && open) {
        write(closing, CLOSED);
        open = false;
        closing.getFD().sync();
      }
    } catch (IOException failed) {
      throw new LogException.Failed(file + ": " + failed, failed);
    }
  }
}
