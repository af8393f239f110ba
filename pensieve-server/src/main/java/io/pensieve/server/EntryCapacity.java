package io.pensieve.server;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How many entries a map may hold, and how much of the heap they may take. The log's folder stores
 * the capacity of its last use. A smaller capacity drops entries, possibly by mistake.
 *
 * @param entries the maximum number of entries
 * @param bytes the maximum heap bytes of all entries
 */
record EntryCapacity(long entries, long bytes) {
  private static final String FILE = "bound.properties";
  private static final Pattern TEXT =
      Pattern.compile("capacity=(\\d{1,18})\\ncapacity-bytes=(\\d{1,18})\\n");

  /** Returns the capacity with which the log in this folder was last used, if known. */
  static Optional<EntryCapacity> lastIn(Path folder) {
    try {
      Matcher text = TEXT.matcher(Files.readString(folder.resolve(FILE)));
      return text.matches()
          ? Optional.of(
              new EntryCapacity(Long.parseLong(text.group(1)), Long.parseLong(text.group(2))))
          : Optional.empty();
    } catch (NoSuchFileException neverUsed) {
      return Optional.empty();
    } catch (IOException unreadable) {
      throw new LogException.Failed(
          "cannot read " + folder.resolve(FILE) + ": " + unreadable, unreadable);
    }
  }

  /** Returns whether this capacity fits every map that fits the other one. */
  boolean covers(EntryCapacity other) {
    return entries >= other.entries && bytes >= other.bytes;
  }

  /** Stores this capacity in the log's folder. */
  void rememberIn(Path folder) {
    Path file = folder.resolve(FILE);
    Path temporary = folder.resolve(FILE + ".new");
    try {
      Files.writeString(
          temporary,
          "capacity=" + entries + "\ncapacity-bytes=" + bytes + "\n",
          StandardCharsets.UTF_8);
      // Not forced: after a power cut, a broken file counts as unknown, and the entries are
      // counted.
      Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException unwritable) {
      throw new LogException.Failed("cannot write " + file + ": " + unwritable, unwritable);
    }
  }
}
