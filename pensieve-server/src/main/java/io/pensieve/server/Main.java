package io.pensieve.server;

import io.pensieve.log.LogException;
import io.pensieve.server.command.ClientProgram;
import io.pensieve.server.http.admin.CapacityControl;
import io.pensieve.server.process.AsyncOutputStream;
import io.pensieve.server.process.DnsCaching;
import io.pensieve.server.process.HangupSignal;
import io.pensieve.server.process.LoggingSetup;
import io.pensieve.server.tools.BackupRestorer;
import io.pensieve.server.tools.Healthcheck;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** The program {@code pensieve-server}. */
public final class Main {
  private static final String HEALTHCHECK = "healthcheck";
  private static final String COMPLETION = "completion";
  private static final String RESTORE = "restore";
  private static final String LAUNCHER = "pensieve";
  private static final String URL_FLAG = "--url";
  // Less than the documented 32 MiB: some collectors report less than -Xmx.
  private static final long HEAP_BYTES_MIN = 24 << 20;
  private static final Duration OUTPUT_PATIENCE = Duration.ofSeconds(1);
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(60); // after the drain
  private static final int OK = 0;
  private static final int FAILED = 1;
  private static final int NOT_STARTED = 2;
  private static final int NODE_FAILED = 3;

  /** The settings that a health check needs to find a server. */
  private static final Set<Setting> FINDS =
      Set.of(Setting.CONFIG, Setting.PORT, Setting.BIND, Setting.TLS_CERTIFICATE);

  private final Map<String, String> environment;
  private final PrintStream out;
  private final PrintStream err;

  Main(Map<String, String> environment, PrintStream out, PrintStream err) {
    this.environment = environment;
    this.out = out;
    this.err = err;
  }

  /**
   * Runs the server until SIGTERM or SIGINT stops it.
   *
   * <p>Exit codes: 0 after a stop; 2 if the server cannot start, with one line on the standard
   * error stream; 3 if it cannot go on as a node of its cluster. {@code healthcheck} exits with 0
   * or 1 only, because Docker reserves all other codes. For {@code log} and {@code import} see
   * their help.
   */
  public static void main(String[] args) throws InterruptedException {
    // These commands start fast: they need nothing of what follows.
    if (ClientProgram.takes(args)) {
      System.exit(ClientProgram.ofProcess().run(args));
    }
    LoggingSetup.setUp();
    DnsCaching.keepBriefly();
    System.exit(new Main(System.getenv(), System.out, System.err).run(args));
  }

  /** Runs the command that the arguments name, and returns the exit code. */
  int run(String... args) throws InterruptedException {
    CommandLine command = new CommandLine(spec());
    command.setOut(new PrintWriter(out, true, Charset.defaultCharset()));
    try {
      ParseResult parsed = command.parseArgs(args);
      if (CommandLine.executeHelpRequest(parsed) != null) {
        return OK;
      }
      if (parsed.hasSubcommand()) {
        return runSubcommand(parsed, parsed.subcommand());
      }
      return serve(flags(parsed));
    } catch (UnmatchedArgumentException unknown) {
      // Print only the first argument, and only up to its "=". A mistyped flag may carry a secret.
      String first = unknown.getUnmatched().get(0).split("=", 2)[0];
      err.println(Setting.PROGRAM + ": unknown argument " + first + " (see --help)");
      return refusal(args);
    } catch (ParameterException | StartupException refused) {
      String line = String.valueOf(refused.getMessage()).lines().findFirst().orElse("");
      err.println(
          Setting.PROGRAM
              + ": "
              + line
              + (refused instanceof StartupException ? "" : " (see --help)"));
      return refusal(args);
    } catch (OutOfMemoryError tooSmall) {
      err.println(
          Setting.PROGRAM
              + ": the heap of "
              + (Runtime.getRuntime().maxMemory() >> 20)
              + " MiB is too small ("
              + tooSmall.getMessage()
              + "); give more by -Xmx");
      return NOT_STARTED;
    }
  }

  private int runSubcommand(ParseResult program, ParseResult subcommand) {
    String name = subcommand.commandSpec().name();
    if (ClientProgram.has(name)) {
      err.println(Setting.PROGRAM + ": " + name + " takes no settings of the server before it");
      return NOT_STARTED;
    }
    return switch (name) {
      case LogCommands.NAME -> new LogCommands(out, err).run(subcommand);
      case ImportCommand.NAME -> importFile(program, subcommand);
      case COMPLETION -> complete();
      case RESTORE -> restore(program, subcommand);
      case ClusterCommands.NAME -> cluster(program, subcommand);
      default -> Healthcheck.run(healthUrl(program, subcommand), err);
    };
  }

  private int complete() {
    out.print(AutoComplete.bash(LAUNCHER, new CommandLine(spec())));
    out.flush();
    return OK;
  }

  private static int refusal(String... args) {
    return List.of(args).contains(HEALTHCHECK) ? FAILED : NOT_STARTED;
  }

  private static CommandSpec spec() {
    CommandSpec spec =
        CommandSpec.create()
            .name(Setting.PROGRAM)
            .mixinStandardHelpOptions(true)
            .version(version());
    spec.usageMessage()
        .description("A durable LRU map behind HTTP.")
        .footer(
            "Each setting is also read from the environment, as PENSIEVE_PORT and so on;",
            "flags come before the environment, it before the file, and that before defaults.",
            "Only there: "
                + String.join(", ", Setting.TOKENS.environmentNames())
                + ", with \"read TOKEN,write TOKEN\" and so on.");
    for (Setting setting : Setting.values()) {
      if (!setting.isSecret()) {
        spec.addOption(setting.option());
      }
    }
    ClientProgram.addTo(spec);
    return spec.addSubcommand(HEALTHCHECK, healthcheck())
        .addSubcommand(LogCommands.NAME, LogCommands.spec())
        .addSubcommand(ImportCommand.NAME, ImportCommand.spec())
        .addSubcommand(ClusterCommands.NAME, ClusterCommands.spec())
        .addSubcommand(RESTORE, restoring())
        .addSubcommand(COMPLETION, completion());
  }

  private static CommandSpec restoring() {
    CommandSpec restoring = CommandSpec.create().mixinStandardHelpOptions(true);
    restoring
        .usageMessage()
        .header("Makes the log of a server of a backup.")
        .description(
            "Reads and checks all of it first. The data-dir must be empty, or not there.",
            "For a cluster: cluster restore (see cluster restore --help).")
        .footer("Exit code: 0 done, 2 not done: nothing was changed.");
    for (Setting setting : Setting.values()) {
      if (!setting.isSecret()) {
        restoring.addOption(
            setting.option().toBuilder().hidden(setting != Setting.DATA_DIR).build());
      }
    }
    return restoring.addPositional(
        PositionalParamSpec.builder()
            .index("0")
            .type(String.class)
            .required(true)
            .paramLabel("FILE")
            .description("What the command backup has saved; - for the input.")
            .build());
  }

  private static CommandSpec completion() {
    CommandSpec completion = CommandSpec.create().mixinStandardHelpOptions(true);
    completion
        .usageMessage()
        .header("Prints the completion of " + LAUNCHER + " for bash and zsh.")
        .description("source <(" + LAUNCHER + " completion)");
    return completion;
  }

  // Accepts every setting, so a caller can pass the same flags as to the server.
  private static CommandSpec healthcheck() {
    CommandSpec healthcheck = CommandSpec.create().mixinStandardHelpOptions(true);
    healthcheck
        .usageMessage()
        .description(
            "Ends with 0 if a server is ready, else with 1.",
            "Takes the settings of the server, to find it by its port, address and certificate.");
    for (Setting setting : Setting.values()) {
      if (!setting.isSecret()) {
        healthcheck.addOption(
            setting.option().toBuilder().hidden(!FINDS.contains(setting)).build());
      }
    }
    return healthcheck.addOption(
        OptionSpec.builder(URL_FLAG)
            .type(String.class)
            .paramLabel("URL")
            .description("The server; by default the one on this machine that the settings name.")
            .build());
  }

  private static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return Setting.PROGRAM + " " + (version == null ? "(not packaged)" : version);
  }

  private static Map<Setting, String> flags(ParseResult parsed) {
    Map<Setting, String> flags = new EnumMap<>(Setting.class);
    for (Setting setting : Setting.values()) {
      if (!setting.isSecret() && parsed.hasMatchedOption(setting.flag())) {
        flags.put(setting, parsed.matchedOptionValue(setting.flag(), ""));
      }
    }
    return flags;
  }

  private String healthUrl(ParseResult program, ParseResult healthcheck) {
    if (healthcheck.hasMatchedOption(URL_FLAG)) {
      return healthcheck.matchedOptionValue(URL_FLAG, "");
    }
    Map<Setting, String> flags = flags(program);
    flags.putAll(flags(healthcheck));
    return Configuration.localUrl(SettingValue.resolve(flags, environment));
  }

  private int importFile(ParseResult program, ParseResult command) {
    requireHeap(Runtime.getRuntime().maxMemory());
    List<String> unused = EnvironmentNames.requireNoneMistyped(environment);
    if (!unused.isEmpty()) {
      err.println("not settings, so not used, in the environment: " + String.join(", ", unused));
    }
    Map<Setting, String> flags = flags(program);
    flags.putAll(flags(command));
    return new ImportCommand(out, err, System::nanoTime)
        .run(SettingValue.resolve(flags, environment), command);
  }

  private int restore(ParseResult program, ParseResult command) {
    Map<Setting, String> flags = flags(program);
    flags.putAll(flags(command));
    Path folder = Configuration.dataDir(SettingValue.resolve(flags, environment));
    String file = command.matchedPositionalValue(0, "");
    try (InputStream archive = file.equals("-") ? System.in : Files.newInputStream(Path.of(file))) {
      int entries = BackupRestorer.restore(archive, folder);
      out.println("restored " + entries + " entries to " + folder);
      return OK;
    } catch (NoSuchFileException missing) {
      throw new StartupException(file + " is not there", missing);
    } catch (IOException | LogException | InvalidPathException notDone) {
      throw new StartupException(String.valueOf(notDone.getMessage()), notDone);
    }
  }

  private int cluster(ParseResult program, ParseResult cluster) {
    if (!cluster.hasSubcommand()) {
      err.println(Setting.PROGRAM + ": cluster: expected a command (see cluster --help)");
      return NOT_STARTED;
    }
    Map<Setting, String> flags = flags(program);
    flags.putAll(flags(cluster.subcommand()));
    return new ClusterCommands(out, err)
        .run(SettingValue.resolve(flags, environment), cluster.subcommand());
  }

  // A smaller heap lets the server start, but then it spends its time on garbage collection.
  private static void requireHeap(long bytes) {
    if (bytes < HEAP_BYTES_MIN) {
      throw new StartupException(
          "the heap of " + (bytes >> 20) + " MiB is too small; give at least 32 MiB by -Xmx32m",
          null);
    }
  }

  private int serve(Map<Setting, String> flags) throws InterruptedException {
    requireHeap(Runtime.getRuntime().maxMemory());
    List<String> strange = EnvironmentNames.requireNoneMistyped(environment);
    if (!strange.isEmpty()) {
      err.println("not settings, so not used, in the environment: " + String.join(", ", strange));
    }
    Map<Setting, SettingValue> given = SettingValue.resolve(flags, environment);
    Configuration configuration = Configuration.of(given);
    out.println(version());
    given.forEach(
        (setting, value) ->
            out.printf(
                "  %-16s %s (%s)%n", setting.title(), shown(setting, value), value.source()));
    AsyncOutputStream errors = new AsyncOutputStream(err);
    AtomicReference<PensieveServer> running = new AtomicReference<>();
    HangupSignal.runs(() -> reload(running.get(), given, flags, errors.lines()));
    PensieveServer server;
    try {
      server =
          PensieveServer.start(
              configuration, out, errors.lines(), out, cause -> endAfter(cause, errors));
    } catch (RuntimeException | Error notStarted) {
      errors.close();
      throw notStarted;
    } finally {
      errors.awaitWritten(OUTPUT_PATIENCE);
    }
    running.set(server);
    Thread stopping = new Thread(() -> stop(server, configuration, errors), "pensieve-stop");
    Runtime.getRuntime().addShutdownHook(stopping);
    out.println("listening on " + server.url());
    // The JVM ends this wait when it shuts down.
    new CountDownLatch(1).await();
    return OK;
  }

  private void reload(
      @Nullable PensieveServer running,
      Map<Setting, SettingValue> given,
      Map<Setting, String> flags,
      PrintStream err) {
    if (running == null) {
      err.println("SIGHUP: not started yet, so there is nothing to read again");
      return;
    }
    running.reload();
    err.println("SIGHUP: looking at files again");
    try {
      reconfigure(running, given, SettingValue.resolve(flags, environment), err);
    } catch (StartupException | LogException refused) {
      err.println("settings: " + refused.getMessage() + "; those before stay in use");
    }
  }

  /** Uses what has changed, as far as a running server can. Updates what was given. */
  static void reconfigure(
      PensieveServer running,
      Map<Setting, SettingValue> given,
      Map<Setting, SettingValue> now,
      PrintStream err) {
    Configuration configuration = Configuration.of(now);
    Set<Setting> changed = EnumSet.noneOf(Setting.class);
    now.forEach(
        (setting, value) -> {
          SettingValue before = given.put(setting, value);
          if (before == null || !before.text().equals(value.text())) {
            changed.add(setting);
          }
        });
    boolean isCapacity = changed.remove(Setting.CAPACITY);
    boolean isBytes = changed.remove(Setting.CAPACITY_BYTES);
    for (Setting setting : changed) {
      err.println(setting.title() + " has changed: it is used after a restart");
    }
    if (isCapacity || isBytes) {
      CapacityControl.Bounds bounds =
          running.changeCapacity(
              isCapacity ? Optional.of(configuration.capacity()) : Optional.empty(),
              isBytes ? Optional.of(configuration.capacityBytes()) : Optional.empty());
      err.println(
          "capacity is " + bounds.entries() + " and capacity-bytes " + bounds.bytes() + " now");
    }
  }

  private static String shown(Setting setting, SettingValue value) {
    return setting.isSecret() && value.isGiven() ? "(secret)" : value.text();
  }

  // A requested stop is a success, but the JVM would exit with 143. The reader of the output may
  // have stopped reading, so this thread never prints itself. If something blocks forever, such as
  // a disk, the deadline thread halts the process.
  private void stop(PensieveServer server, Configuration configuration, AsyncOutputStream errors) {
    AsyncOutputStream output = new AsyncOutputStream(out);
    haltAfter(configuration.connections().drainDeadline().plus(CLOSE_PATIENCE), errors);
    int status = FAILED;
    try {
      output.lines().println("stopping");
      output.awaitWritten(OUTPUT_PATIENCE); // the access log may use the same stream
      server.close();
      output.lines().println("stopped");
      status = OK;
    } catch (RuntimeException | Error notClosed) {
      errors.lines().println(Setting.PROGRAM + ": not closed cleanly: " + notClosed);
    } finally {
      output.awaitWritten(OUTPUT_PATIENCE);
      errors.awaitWritten(OUTPUT_PATIENCE);
      Runtime.getRuntime().halt(status);
    }
  }

  // A node that cannot go on ends, so that its peers and its operator know. A thread of its own:
  // the engine's would wait for itself.
  private static void endAfter(Throwable cause, AsyncOutputStream errors) {
    Thread end =
        new Thread(
            () -> {
              errors.lines().println(Setting.PROGRAM + ": this node cannot go on: " + cause);
              errors.awaitWritten(OUTPUT_PATIENCE);
              Runtime.getRuntime().halt(NODE_FAILED);
            },
            "pensieve-node-failed");
    end.setDaemon(true);
    end.start();
  }

  private static void haltAfter(Duration patience, AsyncOutputStream errors) {
    Thread deadline =
        new Thread(
            () -> {
              try {
                Thread.sleep(patience.toMillis());
              } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
              }
              errors
                  .lines()
                  .println(Setting.PROGRAM + ": not closed within " + patience.toSeconds() + " s");
              errors.awaitWritten(OUTPUT_PATIENCE);
              Runtime.getRuntime().halt(FAILED);
            },
            "pensieve-stop-deadline");
    deadline.setDaemon(true);
    deadline.start();
  }
}
