package io.pensieve.server.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pensieve.server.client.Authorities;
import io.pensieve.server.client.PensieveClient;
import io.pensieve.server.client.RefusedException;
import io.pensieve.server.client.TokenText;
import io.pensieve.server.client.UnreachableException;
import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Runs the commands that talk to a running server. */
public final class ClientProgram {
  private static final String PROGRAM = "pensieve-server";
  private static final Command IMPORT = new ImportJsonCommand();
  private static final int OUTPUT_BYTES = 64 << 10;
  private static final String URL_DEFAULT = "http://127.0.0.1:7878";

  private final Map<String, String> environment;
  private final InputStream in;
  private final PrintStream out;
  private final PrintStream err;
  private final boolean terminal;

  /**
   * Creates the program.
   *
   * @param terminal whether a person reads the output on a terminal
   */
  public ClientProgram(
      Map<String, String> environment,
      InputStream in,
      PrintStream out,
      PrintStream err,
      boolean terminal) {
    this.environment = environment;
    this.in = in;
    this.out = out;
    this.err = err;
    this.terminal = terminal;
  }

  /** Returns a program with the streams of this process. */
  public static ClientProgram ofProcess() {
    // With a buffer, and UTF-8 whatever the locale says: keys and values must not become "?".
    PrintStream out =
        new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), OUTPUT_BYTES),
            false,
            UTF_8);
    return new ClientProgram(System.getenv(), System.in, out, System.err, isTerminal());
  }

  // From Java 22 on there is a console without a terminal, too; it knows that it is none.
  @SuppressWarnings("SystemConsoleNull") // below Java 22 it is null
  private static boolean isTerminal() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException beforeJava22) {
      return true;
    }
  }

  private static List<Command> commands() {
    List<Command> commands = new ArrayList<>(EntryCommands.all());
    commands.add(new DeleteCommand());
    commands.add(new KeysCommand());
    commands.add(new WatchCommand());
    commands.add(new StatusCommand());
    commands.add(new ExportCommand());
    commands.add(new BackupCommand());
    commands.add(new TopCommand());
    commands.add(new BenchCommand());
    return commands;
  }

  /** Returns whether there is a command of this name here. */
  public static boolean has(String name) {
    return commands().stream().anyMatch(command -> command.name().equals(name));
  }

  /**
   * Returns whether these arguments are for a command here. Without {@value Options#JSON}, {@code
   * import} is the server's own, and reads another format.
   */
  public static boolean takes(String... arguments) {
    if (arguments.length == 0) {
      return false;
    }
    boolean isImport = arguments[0].equals(IMPORT.name());
    return isImport ? List.of(arguments).contains(Options.JSON) : has(arguments[0]);
  }

  /** Adds the commands to the program's own. */
  public static void addTo(CommandSpec program) {
    for (Command command : commands()) {
      program.addSubcommand(command.name(), Options.withServer(command.spec()));
    }
  }

  /** Runs the command that the first argument names, and returns its exit code. */
  public int run(String... arguments) {
    CommandSpec program = CommandSpec.create().name(PROGRAM);
    addTo(program);
    program.addSubcommand(IMPORT.name(), Options.withServer(IMPORT.spec()));
    CommandLine line = new CommandLine(program);
    line.setOut(new PrintWriter(out, true, UTF_8));
    try {
      ParseResult parsed = line.parseArgs(arguments);
      if (CommandLine.executeHelpRequest(parsed) != null) {
        out.flush();
        return ExitCode.DONE;
      }
      ParseResult subcommand = parsed.subcommand();
      return run(command(subcommand.commandSpec().name()), subcommand);
    } catch (UnmatchedArgumentException unknown) {
      // Only the first one, up to its "=": a mistyped option may carry a secret.
      String first = unknown.getUnmatched().get(0).split("=", 2)[0];
      return complain(ExitCode.USAGE, "unknown argument " + first + " (see --help)");
    } catch (ParameterException wrong) {
      return complain(ExitCode.USAGE, wrong.getMessage() + " (see --help)");
    }
  }

  private static Command command(String name) {
    return commands().stream()
        .filter(command -> command.name().equals(name))
        .findFirst()
        .orElse(IMPORT);
  }

  private int run(Command command, ParseResult arguments) {
    try {
      Session session = new Session(client(arguments), arguments, in, out, err, terminal);
      int code = command.run(session);
      return session.isOutputBroken() && code == ExitCode.DONE ? ExitCode.OUTPUT_BROKEN : code;
    } catch (UsageException wrong) {
      return complain(ExitCode.USAGE, wrong.getMessage());
    } catch (RefusedException refused) {
      return complain(code(refused), refused.getMessage());
    } catch (UnreachableException unreachable) {
      return complain(ExitCode.UNREACHABLE, unreachable.getMessage());
    } catch (IOException broken) {
      return complain(ExitCode.UNREACHABLE, broken.getMessage());
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return complain(ExitCode.UNREACHABLE, "interrupted");
    }
  }

  private static int code(RefusedException refused) {
    return switch (refused.status()) {
      case 401, 403 -> ExitCode.FORBIDDEN;
      case 404 -> refused.code().equals("no_such_key") ? ExitCode.NO : ExitCode.REFUSED;
      case 412 -> ExitCode.NO;
      default -> ExitCode.REFUSED;
    };
  }

  private int complain(int code, @Nullable String why) {
    String line = String.valueOf(why).lines().findFirst().orElse("");
    err.print(PROGRAM + ": " + TerminalText.line(line) + "\n");
    err.flush();
    return code;
  }

  private PensieveClient client(ParseResult arguments) {
    String url = value(arguments, Options.URL, "PENSIEVE_URL").orElse(URL_DEFAULT);
    return new PensieveClient(server(url), token(arguments), tls(arguments));
  }

  private Optional<String> value(ParseResult arguments, String option, String variable) {
    String given = arguments.matchedOptionValue(option, "");
    String value = given.isEmpty() ? environment.getOrDefault(variable, "") : given;
    return value.isEmpty() ? Optional.empty() : Optional.of(value);
  }

  private static URI server(String text) {
    try {
      URI url = new URI(text.replaceFirst("/+$", ""));
      boolean isWeb = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
      if (isWeb && url.getHost() != null && url.getRawPath().isEmpty() && url.getQuery() == null) {
        if (url.getRawUserInfo() != null) {
          throw new UsageException("the URL must have no user and no password");
        }
        return url;
      }
    } catch (URISyntaxException refusedBelow) {
      // The message is the same for a URL of another form.
    }
    throw new UsageException("the URL must be like http://host:7878, without a path");
  }

  private Optional<String> token(ParseResult arguments) {
    Optional<String> file = value(arguments, Options.TOKEN_FILE, "PENSIEVE_TOKEN_FILE");
    String secret = environment.getOrDefault("PENSIEVE_TOKEN", "");
    if (file.isEmpty()) {
      return secret.isEmpty() ? Optional.empty() : Optional.of(secret.strip());
    }
    Optional<String> token = TokenText.find(read(file.get()));
    if (token.isEmpty()) {
      throw new UsageException(file.get() + " has no token");
    }
    return token;
  }

  private static String read(String file) {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException unreadable) {
      throw new UsageException("cannot read " + file);
    }
  }

  private Optional<SSLContext> tls(ParseResult arguments) {
    return value(arguments, Options.CA, "PENSIEVE_CA")
        .map(
            file -> {
              try {
                return Authorities.trusting(Path.of(file));
              } catch (IOException unusable) {
                throw new UsageException("cannot read certificates from " + file);
              }
            });
  }
}
