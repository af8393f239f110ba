package io.pensieve.server.command;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Builds the options of commands. */
final class Options {
  static final String URL = "--url";
  static final String TOKEN_FILE = "--token-file";
  static final String CA = "--ca";
  static final String JSON = "--json";

  private Options() {}

  static CommandSpec command(String header, String... description) {
    CommandSpec spec = CommandSpec.create().mixinStandardHelpOptions(true);
    spec.usageMessage().header(header).description(description);
    return spec;
  }

  /** Adds the options that find the server. */
  static CommandSpec withServer(CommandSpec spec) {
    spec.usageMessage()
        .footer(
            "Exit code: 0 done, 1 no such key or a condition that fails, 2 wrong arguments,",
            "3 refused by the server, 4 no server, 5 no right to, 6 output broken.");
    return spec.addOption(
            text(URL, "URL", "The server; else PENSIEVE_URL, else http://127.0.0.1:7878."))
        .addOption(
            text(
                TOKEN_FILE,
                "FILE",
                "A file with the token, or the server's own; else PENSIEVE_TOKEN_FILE, or the"
                    + " token itself in PENSIEVE_TOKEN."))
        .addOption(
            text(CA, "FILE", "Whom to trust, in PEM; else PENSIEVE_CA, else whom Java trusts."))
        .addOption(flag(JSON, "Print JSON, one object a line."));
  }

  /** Parses a whole number above 0. */
  static long count(String name, String text) {
    try {
      long number = Long.parseLong(text);
      if (number > 0) {
        return number;
      }
    } catch (NumberFormatException refusedBelow) {
      // The message is the same for a text that is no number.
    }
    throw new UsageException(name + " is not a whole number above 0");
  }

  static OptionSpec text(String name, String label, String description) {
    return OptionSpec.builder(name)
        .type(String.class)
        .paramLabel(label)
        .description(description)
        .build();
  }

  static OptionSpec flag(String name, String description) {
    return OptionSpec.builder(name).type(boolean.class).description(description).build();
  }

  static PositionalParamSpec argument(int index, String label, String description) {
    return argument(index, label, "1", description);
  }

  static PositionalParamSpec optional(int index, String label, String description) {
    return argument(index, label, "0..1", description);
  }

  private static PositionalParamSpec argument(
      int index, String label, String arity, String description) {
    return PositionalParamSpec.builder()
        .index(String.valueOf(index))
        .arity(arity)
        .required(arity.equals("1"))
        .type(String.class)
        .paramLabel(label)
        .description(description)
        .build();
  }
}
