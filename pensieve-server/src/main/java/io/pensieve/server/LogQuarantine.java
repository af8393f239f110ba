package io.pensieve.server;

import io.pensieve.log.LogException;
import io.pensieve.log.file.OfflineLog;
import io.pensieve.log.file.SalvageReport;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Moves a damaged log to a folder within its own folder, since that one may be the root of a
 * volume. Deletes nothing of it.
 */
final class LogQuarantine {
  // A start may die at any point, and the next one resumes there. The file MARK exists from before
  // the first move until after the last. It contains the phase: the policy and N while files move
  // to damaged-N, then SALVAGED and N while the salvaged files move in. The log stays closed while
  // MARK exists, so a partial log is never mistaken for a complete one.

  private static final String MARK = "damage.mark";
  private static final Set<String> STAYING = Set.of("LOCK", "bound.properties", MARK);
  private static final String SALVAGED = "SALVAGED";

  private final Path folder;
  private final DamagePolicy policy;
  private final PrintStream err;

  /**
   * Creates a quarantine for the log of a folder.
   *
   * @param err receives a line per loss, and one with the folder of the damaged log
   */
  LogQuarantine(Path folder, DamagePolicy policy, PrintStream err) {
    this.folder = folder;
    this.policy = policy;
    this.err = err;
  }

  /** Completes a quarantine that an earlier start has begun, if there is one. */
  void resume() {
    try {
      String[] mark = Files.readString(folder.resolve(MARK)).strip().split(" ", -1);
      int number = Integer.parseInt(mark[1]);
      if (mark[0].equals(SALVAGED)) {
        moveIn(number);
      } else {
        moveAside(DamagePolicy.valueOf(mark[0]), number);
      }
    } catch (NoSuchFileException nothingBegun) {
      // The usual case.
    } catch (IOException | UncheckedIOException broken) {
      throw failure(broken);
    }
  }

  /** Moves the log away. Moves the salvaged part back, if that is the policy. */
  void setAside(LogException.Corrupt damage) {
    print("damaged: " + damage.getMessage());
    try {
      int number = 1;
      while (Files.exists(aside(number))) {
        number++;
      }
      Files.createDirectory(aside(number));
      mark(policy.name(), number);
      moveAside(policy, number);
    } catch (IOException | UncheckedIOException broken) {
      throw failure(broken);
    }
  }

  private static LogException.Failed failure(Exception broken) {
    return new LogException.Failed("cannot set the damaged log aside: " + broken, broken);
  }

  private Path aside(int number) {
    return folder.resolve("damaged-" + number);
  }

  private Path salvaged(int number) {
    return folder.resolve("salvaged-" + number);
  }

  private void mark(String phase, int number) throws IOException {
    Path temporary = folder.resolve(MARK + ".new");
    Files.writeString(temporary, phase + " " + number + "\n");
    Files.move(temporary, folder.resolve(MARK), StandardCopyOption.ATOMIC_MOVE);
  }

  private void moveAside(DamagePolicy begun, int number) throws IOException {
    moveAll(folder, aside(number));
    if (begun != DamagePolicy.SALVAGE) {
      print("the damaged log is kept in " + aside(number) + "; the server starts with no entries");
      Files.delete(folder.resolve(MARK));
      return;
    }
    delete(salvaged(number)); // of a start that died
    SalvageReport salvageReport = OfflineLog.salvage(aside(number), salvaged(number));
    for (SalvageReport.Damage damage : salvageReport.damages()) {
      print(LogCommands.described(damage));
    }
    mark(SALVAGED, number);
    moveIn(number);
  }

  private void moveIn(int number) throws IOException {
    if (Files.exists(salvaged(number))) {
      moveAll(salvaged(number), folder);
      delete(salvaged(number));
    }
    print(
        "the damaged log is kept in "
            + aside(number)
            + "; the server starts with what was salvaged of it");
    Files.delete(folder.resolve(MARK));
  }

  private static void moveAll(Path from, Path into) throws IOException {
    for (Path file : files(from)) {
      if (Files.isRegularFile(file) && !STAYING.contains(file.getFileName().toString())) {
        Files.move(file, into.resolve(file.getFileName()));
      }
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted(Comparator.naturalOrder()).toList();
    }
  }

  private static void delete(Path made) throws IOException {
    if (Files.exists(made)) {
      for (Path file : files(made)) {
        Files.delete(file);
      }
      Files.delete(made);
    }
  }

  private void print(String line) {
    err.println(Setting.PROGRAM + ": " + line);
  }
}
