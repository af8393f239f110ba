package io.pensieve.server;

import io.pensieve.log.LogException;
import io.pensieve.log.file.LogContents;
import io.pensieve.log.file.LogFile;
import io.pensieve.log.file.OfflineLog;
import io.pensieve.log.file.SalvageReport;
import io.pensieve.log.file.SalvageReport.Damage;
import io.pensieve.server.tools.LogDump;
import io.pensieve.server.tools.LogEntryCounter;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** The commands on the log of a server that is not running: their output and their exit codes. */
final class LogCommands {
  static final String NAME = "log";

  private static final String CHECK = "check";
  private static final String DUMP = "dump";
  private static final String SALVAGE = "salvage";

  private static final int OK = 0;
  private static final int DAMAGED = 1;
  private static final int NOT_DONE = 2;
  private static final int SOMETHING_LOST = 3;

  private final PrintStream out;
  private final PrintStream err;

  LogCommands(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().addOption(help());
    spec.usageMessage()
        .description("Looks at the log of a server that is not running, or salvages it.");
    CommandSpec check =
        command(
            "Tells what a log holds, and whether it is sound.",
            "Reads it as a start would, and changes nothing.",
            "Exit code: 0 sound, 1 damaged, 2 not checked (no log, in use, not readable).");
    CommandSpec dump =
        command(
            "Prints a log, a change a line.",
            "Oldest first, each as a JSON object: \"kind\" (entry, put, remove, touch),"
                + " \"sequence\", \"key\", of an entry and a put also \"value\", and"
                + " \"expiryMillis\" if it expires. An entry was saved when the log was compacted;"
                + " its sequence is that of its put. Keys and values that are not UTF-8 are"
                + " \"keyBase64\" and \"valueBase64\". A value that is more than a text has its"
                + " \"contentType\".",
            "Exit code: 0 all was printed, or nobody read on; 1 damaged, and what recovery reads"
                + " before the damage was printed; 2 not read.");
    CommandSpec salvage =
        command(
            "Copies what can be read of a damaged log to a new folder.",
            "The new log can be opened. What was lost is told, and the old log is not changed.",
            "Exit code: 0 nothing was lost, 3 something was lost, 2 nothing was salvaged.");
    salvage.addPositional(folder("1", "NEW_FOLDER", "Where to: empty, or not there yet."));
    return spec.addSubcommand(CHECK, check)
        .addSubcommand(DUMP, dump)
        .addSubcommand(SALVAGE, salvage);
  }

  private static CommandSpec command(String header, String description, String exitCodes) {
    CommandSpec spec = CommandSpec.create().addOption(help());
    spec.usageMessage().header(header).description(description).footer(exitCodes);
    return spec.addPositional(folder("0", "FOLDER", "The log: a server's data-dir."));
  }

  private static OptionSpec help() {
    return OptionSpec.builder("-h", "--help").usageHelp(true).description("This help.").build();
  }

  private static PositionalParamSpec folder(String index, String label, String description) {
    return PositionalParamSpec.builder()
        .index(index)
        .type(Path.class)
        .required(true)
        .paramLabel(label)
        .description(description)
        .build();
  }

  /** Runs the command, and returns its exit code. */
  int run(ParseResult log) {
    if (!log.hasSubcommand()) {
      return refuse("log: expected check, dump or salvage (see log --help)");
    }
    ParseResult command = log.subcommand();
    Path folder = command.matchedPositionalValue(0, Path.of(""));
    try {
      return switch (command.commandSpec().name()) {
        case CHECK -> check(folder);
        case DUMP -> dump(folder);
        default -> salvage(folder, command.matchedPositionalValue(1, Path.of("")));
      };
    } catch (LogException.Corrupt damaged) {
      refuse(damaged.getMessage() + "; " + remedy(folder));
      return DAMAGED;
    } catch (LogException | IllegalArgumentException notDone) {
      return refuse(String.valueOf(notDone.getMessage()));
    }
  }

  private int refuse(String why) {
    err.println(Setting.PROGRAM + ": " + why.lines().findFirst().orElse(""));
    return NOT_DONE;
  }

  /** Returns the advice for a damaged log. */
  static String remedy(Path folder) {
    return "what can be read of it is salvaged by: java -jar pensieve-server.jar log salvage "
        + folder
        + " NEW_FOLDER";
  }

  private int check(Path folder) {
    LogEntryCounter count = new LogEntryCounter();
    print(folder, OfflineLog.read(folder, count), count);
    out.println("sound");
    return OK;
  }

  private void print(Path folder, LogContents contents, LogEntryCounter count) {
    out.println("log in " + folder);
    for (LogFile file : contents.files()) {
      out.printf(
          "  %-9s %12d bytes  %s%n",
          file.kind().name().toLowerCase(Locale.ROOT).replace('_', ' '),
          file.path().toFile().length(),
          file.path().getFileName());
    }
    String base = contents.base() == 0 ? "no base" : "a base up to " + contents.base();
    out.println("history up to position " + contents.end() + ", " + base + ": " + count);
    out.println("entries: " + count.entries());
    out.println(contents.closedCleanly() ? "closed cleanly" : "not closed");
    contents
        .unfinishedEnd()
        .ifPresent(
            end ->
                out.println(
                    "an unfinished end of "
                        + end.bytes()
                        + " bytes in "
                        + end.file()
                        + " at offset "
                        + end.offset()
                        + " will be cut off and kept when the log is opened"));
    if (!contents.guarded()) {
      out.println("no lock could be had: this holds if no process opened the log meanwhile");
    }
  }

  private int dump(Path folder) {
    LogDump dump = new LogDump(out);
    try {
      OfflineLog.read(folder, dump);
      dump.flush();
    } catch (LogDump.OutputClosedException end) {
      return OK;
    } catch (LogException.Corrupt damaged) {
      dump.flushBefore(damaged);
      throw damaged;
    }
    return OK;
  }

  /** Describes one damage and its loss in one line. */
  static String described(Damage damage) {
    return (damage.losesSomething() ? "lost: " : "not lost: ")
        + damage.file()
        + " at offset "
        + damage.offset()
        + ", "
        + damage.bytes()
        + " bytes: "
        + damage.meaning();
  }

  private int salvage(Path folder, Path into) {
    SalvageReport salvageReport = OfflineLog.salvage(folder, into);
    for (Damage damage : salvageReport.damages()) {
      out.println(described(damage));
    }
    out.println(
        "salvaged "
            + salvageReport.contents().changes()
            + " changes and saved entries to "
            + into
            + (salvageReport.losesSomething() ? "; something was lost" : "; nothing was lost"));
    return salvageReport.losesSomething() ? SOMETHING_LOST : OK;
  }
}
