package io.pensieve.server;

import io.pensieve.Pensieve;
import io.pensieve.log.LogException;
import io.pensieve.server.http.value.EntryWeigher;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * The command {@code import}: imports an {@code op_logs.log} of the original Pensieve into the data
 * folder of a server that is not running.
 */
final class ImportCommand {
  static final String NAME = "import";

  private static final String MERGE = "--merge";
  private static final int OK = 0;
  private static final int NOT_DONE = 2;
  private static final int SOMETHING_LEFT_OUT = 3;
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** The settings that define the target and the limits of entries. All others are ignored. */
  private static final Set<Setting> USED =
      Set.of(
          Setting.CONFIG,
          Setting.CAPACITY,
          Setting.CAPACITY_BYTES,
          Setting.ALLOW_DROPS,
          Setting.DATA_DIR,
          Setting.DURABILITY,
          Setting.ON_DAMAGE,
          Setting.KEY_BYTES_MAX,
          Setting.VALUE_BYTES_MAX);

  private final PrintStream out;
  private final PrintStream err;
  private final LongSupplier nanoClock;

  ImportCommand(PrintStream out, PrintStream err, LongSupplier nanoClock) {
    this.out = out;
    this.err = err;
    this.nanoClock = nanoClock;
  }

  // Accepts every setting, so a caller can pass the same flags as to the server.
  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().mixinStandardHelpOptions(true);
    spec.usageMessage()
        .header("Imports the op_logs.log of the original Pensieve.")
        .description(
            "Writes to the data-dir of a server that is not running. Lines apply in their order:"
                + " a later one replaces an earlier one, a delete removes. A line that is broken,"
                + " or exceeds a limit, is reported with its number and left out.")
        .footer(
            "For an export of a running server: import --json (see import --json --help).",
            "Exit code: 0 all lines were imported, 3 some lines were left out, 2 nothing was"
                + " imported, or the import broke off.");
    for (Setting setting : Setting.values()) {
      if (!setting.isSecret()) {
        spec.addOption(setting.option().toBuilder().hidden(!USED.contains(setting)).build());
      }
    }
    return spec.addOption(
            OptionSpec.builder(MERGE)
                .type(boolean.class)
                .description(
                    "Import although the data-dir has entries; the file's lines come after them.")
                .build())
        .addPositional(
            PositionalParamSpec.builder()
                .index("0")
                .type(Path.class)
                .required(true)
                .paramLabel("FILE")
                .description("The op_logs.log.")
                .build());
  }

  /** Runs the command, and returns its exit code. */
  int run(Map<Setting, SettingValue> given, ParseResult command) {
    Path file = command.matchedPositionalValue(0, Path.of(""));
    given.replaceAll(
        (setting, value) -> USED.contains(setting) ? value : SettingValue.byDefault(setting));
    if (Configuration.of(given).durability().isEmpty()) {
      return refuse(Setting.DURABILITY.title() + " is none: there is no log to import into");
    }
    // Closing forces the log, so no single line has to wait for the disk.
    given.put(Setting.DURABILITY, SettingValue.byDefault(Setting.DURABILITY));
    Configuration configuration = Configuration.of(given);
    if (Files.isDirectory(file)) {
      return refuse(file + " is a folder, expected a file");
    }
    try (InputStream bytes = Files.newInputStream(file)) {
      long size = Files.size(file);
      return run(configuration, command.hasMatchedOption(MERGE), file, bytes, size);
    } catch (NoSuchFileException missing) {
      return refuse(file + " is not there");
    } catch (IOException unreadable) {
      return refuse("cannot read " + file + ": " + unreadable);
    } catch (LogException unwritable) {
      return refuse("the import broke off: " + unwritable.getMessage());
    }
  }

  private int refuse(String why) {
    err.println(Setting.PROGRAM + ": " + why.lines().findFirst().orElse(""));
    return NOT_DONE;
  }

  private int run(
      Configuration configuration, boolean merge, Path file, InputStream bytes, long size)
      throws IOException {
    OpLogImport running;
    long lines;
    try (Pensieve<String, StoredValue> map = new MapOpener(configuration, out, err).open()) {
      if (!merge && !map.isEmpty()) {
        return refuse(
            configuration.dataDir()
                + " has "
                + map.size()
                + " entries: choose another data-dir, or give "
                + MERGE);
      }
      running = new OpLogImport(map, configuration.capacityBytes(), size);
      lines =
          new OpLogReader(
                  configuration.limits().keyBytesMax(),
                  configuration.limits().valueBytesMax(),
                  running)
              .read(bytes);
      running.entries = map.size();
      running.evictions = map.statistics().evictions();
    }
    report(configuration, file, lines, running);
    return running.skipped == 0 ? OK : SOMETHING_LEFT_OUT;
  }

  private void report(Configuration configuration, Path file, long lines, OpLogImport done) {
    out.println("imported " + file + " into " + configuration.dataDir());
    out.printf("  %-24s %12d%n", "lines", lines);
    out.printf("  %-24s %12d%n", "puts", done.puts);
    out.printf("  %-24s %12d%n", "deletes", done.deletes);
    out.printf("  %-24s %12d%n", "left out", done.skipped);
    out.printf("  %-24s %12d%n", "values with a comma", done.valuesWithComma);
    out.printf("  %-24s %12d%n", "evicted", done.evictions);
    out.printf("  %-24s %12d%n", "entries", done.entries);
    if (done.evictions > 0) {
      out.println(
          "evicted entries had no room in "
              + Setting.CAPACITY.flag()
              + " "
              + configuration.capacity()
              + " and "
              + Setting.CAPACITY_BYTES.flag()
              + " "
              + configuration.capacityBytes());
    }
  }

  /** Applies the lines to the map, and counts them. */
  private final class OpLogImport implements OpLogReader.Visitor {
    private final Pensieve<String, StoredValue> map;
    private final long entryBytesMax;
    private final long fileBytes;
    private long nextProgressNanos = nanoClock.getAsLong() + SILENCE_NANOS;
    private long puts;
    private long deletes;
    private long skipped;
    private long valuesWithComma;
    private long evictions;
    private long entries;

    OpLogImport(Pensieve<String, StoredValue> map, long entryBytesMax, long fileBytes) {
      this.map = map;
      this.entryBytesMax = entryBytesMax;
      this.fileBytes = fileBytes;
    }

    @Override
    public void put(long line, String key, String text) {
      StoredValue value = StoredValue.text(text);
      long bytes = EntryWeigher.OF_PROCESS.weigh(key, value);
      if (bytes > entryBytesMax) {
        skipped(
            line,
            "the entry takes "
                + bytes
                + " bytes of memory, the limit is "
                + entryBytesMax
                + " ("
                + Setting.CAPACITY_BYTES.flag()
                + ")");
        return;
      }
      map.put(key, value);
      puts++;
      valuesWithComma += text.indexOf(',') >= 0 ? 1 : 0;
    }

    @Override
    public void delete(long line, String key) {
      map.remove(key);
      deletes++;
    }

    @Override
    public void skipped(long line, String reason) {
      err.println("line " + line + ": left out: " + reason);
      skipped++;
    }

    @Override
    public void doubtful(long line, String reason) {
      err.println("line " + line + ": doubtful: " + reason);
    }

    @Override
    public void progress(long bytesRead) {
      long now = nanoClock.getAsLong();
      if (now - nextProgressNanos >= 0) {
        nextProgressNanos = now + SILENCE_NANOS;
        String share =
            fileBytes > 0
                ? " of " + fileBytes + " (" + (long) (100.0 * bytesRead / fileBytes) + " %)"
                : "";
        out.println("importing: " + bytesRead + " bytes" + share + ", " + puts + " puts");
      }
    }
  }
}
