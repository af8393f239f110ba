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
 * How many entries a map may hold, and what they may take of the heap. The folder of the log
 * remembers with which bound it was used last: a smaller one drops entries, and nobody may have
 * meant that.
 *
 * @param entries how many
 * @param bytes what they may take, in bytes
 */
record EntryCapacity(long entries, long bytes) {
  private static final String FILE = "bound.properties";
  private static final Pattern TEXT =
      Pattern.compile("capacity=(\\d{1,18})\\ncapacity-bytes=(\\d{1,18})\\n");

  /** With which bound the log in this folder was used last, if that is known. */
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

  /** Whether every entry that the other one has room for has room here. */
  boolean covers(EntryCapacity other) {
    return entries >= other.entries && bytes >= other.bytes;
  }

  /** From now on the log in this folder is used with this bound. */
  void rememberIn(Path folder) {
    Path file = folder.resolve(FILE);
    Path temporary = folder.resolve(FILE + ".new");
    try {
      Files.writeString(
          temporary,
          "capacity=" + entries + "\ncapacity-bytes=" + bytes + "\n",
          StandardCharsets.UTF_8);
      // Not forced: what a power cut leaves half is taken for unknown, and then entries are
      // counted.
      Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException unwritable) {
      throw new LogException.Failed("cannot write " + file + ": " + unwritable, unwritable);
    }
  }
}
