package io.pensieve.server.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import io.pensieve.server.client.PensieveClient;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;

/** The commands on single entries. */
final class EntryCommands {
  private static final String TTL = "--ttl";
  private static final String INITIAL_TTL = "--initial-ttl";
  private static final String TOUCH = "--touch";
  private static final String FILE = "--file";
  private static final String TYPE = "--content-type";
  private static final String IF_VERSION = "--if-version";
  private static final String IF_ABSENT = "--if-absent";
  private static final String BY = "--by";
  private static final String TTL_HELP = "How long it lives: 30s, 2h, never, or keep.";

  private EntryCommands() {}

  static List<Command> all() {
    return List.of(new Get(), new Put(), new Touch(), new Increment());
  }

  private static String path(String route, String key, List<String> parameters) {
    String query = parameters.isEmpty() ? "" : "?" + String.join("&", parameters);
    return route + PensieveClient.escaped(key) + query;
  }

  private static void add(List<String> parameters, String name, String value) {
    if (!value.isEmpty()) {
      parameters.add(name + "=" + PensieveClient.escaped(value));
    }
  }

  private static List<String> lives(Session session) {
    List<String> parameters = new ArrayList<>();
    add(parameters, "ttl", session.text(TTL));
    add(parameters, "initial_ttl", session.text(INITIAL_TTL));
    return parameters;
  }

  private static Map<String, String> conditions(Session session) {
    Map<String, String> headers = new HashMap<>();
    if (session.has(IF_VERSION)) {
      headers.put("If-Match", "\"" + session.text(IF_VERSION) + "\"");
    }
    if (session.has(IF_ABSENT)) {
      headers.put("If-None-Match", "*");
    }
    return headers;
  }

  // The tag of an entry is its version in quotes.
  private static long version(HttpResponse<?> response) {
    return Long.parseLong(response.headers().firstValue("ETag").orElse("\"0\"").replace("\"", ""));
  }

  private static int showVersion(Session session, HttpResponse<InputStream> response)
      throws IOException {
    response.body().close();
    if (session.isJson()) {
      session.json("version", version(response));
    }
    return ExitCode.DONE;
  }

  private static final class Get implements Command {
    @Override
    public String name() {
      return "get";
    }

    @Override
    public CommandSpec spec() {
      return Options.command(
              "Prints a value.",
              "Prints the bytes as they are; on a terminal without control characters. With --json"
                  + " the whole entry.")
          .addPositional(Options.argument(0, "KEY", "The key."))
          .addOption(Options.text(TOUCH, "TTL", "How long it lives from now on: 30s, or never."));
    }

    @Override
    public int run(Session session) throws IOException, InterruptedException {
      List<String> parameters = new ArrayList<>();
      add(parameters, "touch", session.text(TOUCH));
      if (session.isJson()) {
        parameters.add("as=json");
      }
      String path = path("/v1/kv/", session.positional(0), parameters);
      if (session.isJson()) {
        session.json(session.client().getJson(path));
        return ExitCode.DONE;
      }
      HttpResponse<InputStream> response = session.client().send(session.client().request(path));
      try (InputStream value = response.body()) {
        if (session.terminal()) {
          session.out().print(TerminalText.block(shown(value.readAllBytes())) + "\n");
        } else {
          value.transferTo(session.out());
        }
      }
      return ExitCode.DONE;
    }

    // Bytes that are no text are shown as \xff, so that the terminal gets nothing of them.
    private static String shown(byte[] value) {
      try {
        return UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .decode(ByteBuffer.wrap(value))
            .toString();
      } catch (CharacterCodingException bytes) {
        StringBuilder shown = new StringBuilder();
        for (byte one : value) {
          shown.append(
              one >= ' ' && one < 0x7f
                  ? String.valueOf((char) one)
                  : String.format("\\x%02x", one));
        }
        return shown.toString();
      }
    }
  }

  private static final class Put implements Command {
    @Override
    public String name() {
      return "put";
    }

    @Override
    public CommandSpec spec() {
      return Options.command(
              "Puts a value.",
              "The value is the argument, or a file, or without both the standard input.")
          .addPositional(Options.argument(0, "KEY", "The key."))
          .addPositional(Options.optional(1, "VALUE", "The value."))
          .addOption(Options.text(FILE, "FILE", "A file with the value; - is the standard input."))
          .addOption(Options.text(TYPE, "TYPE", "The media type of the value."))
          .addOption(Options.text(TTL, "TTL", TTL_HELP))
          .addOption(Options.text(INITIAL_TTL, "TTL", "With --ttl keep: the life of a new entry."))
          .addOption(Options.flag(IF_ABSENT, "Only if there is no entry yet."))
          .addOption(Options.text(IF_VERSION, "VERSION", "Only if the entry has this version."));
    }

    @Override
    public int run(Session session) throws IOException, InterruptedException {
      Map<String, String> headers = conditions(session);
      boolean isText = session.arguments().hasMatchedPositional(1);
      String type = isText ? "text/plain;charset=utf-8" : "";
      type = session.has(TYPE) ? session.text(TYPE) : type;
      if (!type.isEmpty()) {
        headers.put("Content-Type", type);
      }
      String path = path("/v1/kv/", session.positional(0), lives(session));
      return showVersion(session, session.client().put(path, value(session, isText), headers));
    }

    private static BodyPublisher value(Session session, boolean isText) throws IOException {
      if (isText && session.has(FILE)) {
        throw new UsageException("a value and " + FILE + " at once");
      }
      if (isText) {
        return BodyPublishers.ofString(session.positional(1));
      }
      String file = session.text(FILE);
      if (!file.isEmpty() && !file.equals("-")) {
        try {
          return BodyPublishers.ofFile(Path.of(file));
        } catch (FileNotFoundException missing) {
          throw new UsageException("cannot read " + file);
        }
      }
      return BodyPublishers.ofInputStream(session::in);
    }
  }

  private static final class Touch implements Command {
    @Override
    public String name() {
      return "touch";
    }

    @Override
    public CommandSpec spec() {
      return Options.command("Changes how long an entry lives, without its value.")
          .addPositional(Options.argument(0, "KEY", "The key."))
          .addPositional(Options.argument(1, "TTL", "From now on: 30s, 2h, or never."))
          .addOption(Options.text(IF_VERSION, "VERSION", "Only if the entry has this version."));
    }

    @Override
    public int run(Session session) throws IOException, InterruptedException {
      List<String> parameters = new ArrayList<>();
      parameters.add("ttl=" + PensieveClient.escaped(session.positional(1)));
      String path = path("/v1/touch/", session.positional(0), parameters);
      var request = session.client().request(path).POST(BodyPublishers.noBody());
      conditions(session).forEach(request::setHeader);
      return showVersion(session, session.client().send(request));
    }
  }

  private static final class Increment implements Command {
    @Override
    public String name() {
      return "incr";
    }

    @Override
    public CommandSpec spec() {
      return Options.command("Adds to a number, and prints the sum.")
          .addPositional(Options.argument(0, "KEY", "The key; a missing one counts as 0."))
          .addOption(Options.text(BY, "N", "What to add, as 5 or -5; else 1."))
          .addOption(Options.text(TTL, "TTL", TTL_HELP))
          .addOption(Options.text(INITIAL_TTL, "TTL", "With --ttl keep: the life of a new entry."));
    }

    @Override
    public int run(Session session) throws IOException, InterruptedException {
      JsonObject body = new JsonObject();
      try {
        body.addProperty("by", session.has(BY) ? Long.parseLong(session.text(BY)) : 1L);
      } catch (NumberFormatException notANumber) {
        throw new UsageException(BY + " is not a whole number of 64 bits");
      }
      String path = path("/v1/incr/", session.positional(0), lives(session));
      JsonObject sum = session.client().postJson(path, body);
      if (session.isJson()) {
        session.json(sum);
      } else {
        session.line(sum.get("value").getAsString());
      }
      return ExitCode.DONE;
    }
  }
}
