package io.pensieve.server.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.pensieve.server.client.RefusedException;
import io.pensieve.server.client.UnreachableException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Puts the entries of an export into a running server, in batches. Holds one batch at a time.
 * Versions are new: a server never gives a version twice.
 */
final class ImportJsonCommand implements Command {
  private static final int OPERATIONS_MAX = 200;
  private static final int BATCH_CHARACTERS_MAX = 512 << 10;
  private static final int COMPLAINTS_MAX = 20;
  private static final int STATUS_REFUSED = 400;
  private static final Set<Integer> OF_ONE_LINE = Set.of(400, 413, 422);
  private static final int TRIES = 10;
  private static final long RETRY_MILLIS = 500;

  @Override
  public String name() {
    return "import";
  }

  @Override
  public CommandSpec spec() {
    return Options.command(
            "Puts the entries of an export, JSON lines, into a running server.",
            "Entries replace those of their keys, and get new versions. What has expired meanwhile"
                + " is left out. A line that is refused is told, and the others go on. If it breaks"
                + " off, run it again.")
        .addPositional(Options.optional(0, "FILE", "An export; without it, the input."));
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    String file = session.positional(0);
    if (file.isEmpty() || file.equals("-")) {
      return new Run(session).run(session.in());
    }
    InputStream lines;
    try {
      lines = Files.newInputStream(Path.of(file));
    } catch (IOException unreadable) {
      throw new UsageException("cannot read " + file);
    }
    try (lines) {
      return new Run(session).run(lines);
    }
  }

  /** One import. */
  private static final class Run {
    private final Session session;
    private final Progress progress;
    private JsonArray batch = new JsonArray();
    private final List<Long> lineNumbers = new ArrayList<>();
    private int batchCharacters;
    private long line;
    private long imported;
    private long expired;
    private long refused;
    private @Nullable Long announced; // how many entries the last line says there are
    private long entries;

    Run(Session session) {
      this.session = session;
      this.progress = Progress.on(session, "imported");
    }

    int run(InputStream input) throws IOException, InterruptedException {
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(
                  input, UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)));
      try {
        for (String text; (text = readLine(lines)) != null; ) {
          line++;
          take(text);
        }
        send();
      } catch (RefusedException | UnreachableException broken) {
        progress.end(imported);
        throw broken;
      }
      progress.clear();
      return report();
    }

    private @Nullable String readLine(BufferedReader lines) throws IOException {
      try {
        return lines.readLine();
      } catch (CharacterCodingException notText) {
        throw new UsageException("not UTF-8 behind line " + line);
      }
    }

    private void take(String text) throws IOException, InterruptedException {
      if (text.isBlank()) {
        return;
      }
      JsonObject operation;
      try {
        JsonObject entry = JsonParser.parseString(text).getAsJsonObject();
        if (entry.has(ExportCommand.END)) {
          announced = entry.get(ExportCommand.END).getAsLong();
          return;
        }
        entries++;
        operation = operation(entry);
      } catch (JsonParseException
          | IllegalStateException
          | NumberFormatException
          | UnsupportedOperationException notAnEntry) {
        complain(line, "not the JSON of an entry");
        return;
      }
      if (operation == null) {
        expired++;
        return;
      }
      if (batchCharacters + text.length() > BATCH_CHARACTERS_MAX && batch.size() > 0) {
        send();
      }
      batch.add(operation);
      lineNumbers.add(line);
      batchCharacters += text.length();
      if (batch.size() == OPERATIONS_MAX) {
        send();
      }
    }

    // Returns null if the entry has expired. The server checks the fields, and refuses others.
    private static @Nullable JsonObject operation(JsonObject entry) {
      JsonObject put = new JsonObject();
      put.addProperty("op", "put");
      for (String field : new String[] {"key", "value", "value_base64", "content_type"}) {
        if (entry.has(field)) {
          put.add(field, entry.get(field));
        }
      }
      if (entry.has(ExportCommand.EXPIRES_AT)) {
        long left = entry.get(ExportCommand.EXPIRES_AT).getAsLong() - System.currentTimeMillis();
        if (left <= 0) {
          return null;
        }
        put.addProperty("ttl", left + "ms");
      }
      return put;
    }

    private void send() throws IOException, InterruptedException {
      if (batch.size() > 0) {
        send(batch, lineNumbers);
      }
      batch = new JsonArray();
      lineNumbers.clear();
      batchCharacters = 0;
      progress.show(imported);
    }

    private void send(JsonArray operations, List<Long> numbers)
        throws IOException, InterruptedException {
      JsonObject body = new JsonObject();
      body.addProperty("atomic", false);
      body.add("ops", operations);
      JsonArray results;
      try {
        results = post(body).getAsJsonArray("results");
      } catch (RefusedException refusal) {
        if (!OF_ONE_LINE.contains(refusal.status())) {
          throw refusal;
        }
        if (operations.size() == 1) {
          complain(numbers.get(0), refusal.getMessage());
        } else { // one of them is to blame
          for (int i = 0; i < operations.size(); i++) {
            JsonArray one = new JsonArray();
            one.add(operations.get(i));
            send(one, List.of(numbers.get(i)));
          }
        }
        return;
      }
      for (int i = 0; i < results.size(); i++) {
        JsonObject result = results.get(i).getAsJsonObject();
        if (result.get("status").getAsInt() < STATUS_REFUSED) {
          imported++;
        } else {
          complain(
              numbers.get(i),
              result.get("code").getAsString() + ": " + result.get("detail").getAsString());
        }
      }
    }

    // A put can be repeated. A server that is busy says so by 503.
    private JsonObject post(JsonObject body) throws IOException, InterruptedException {
      for (int tries = 1; ; tries++) {
        try {
          return session.client().postJson("/v1/batch", body);
        } catch (RefusedException busy) {
          if (busy.status() != 503 || tries == TRIES) {
            throw busy;
          }
          Thread.sleep(RETRY_MILLIS);
        }
      }
    }

    private void complain(long number, @Nullable String why) {
      refused++;
      if (refused <= COMPLAINTS_MAX) {
        progress.clear();
        session
            .err()
            .print("line " + number + ": " + TerminalText.line(String.valueOf(why)) + "\n");
      }
    }

    private int report() {
      boolean isCut = announced == null || announced != entries;
      JsonObject report = new JsonObject();
      report.addProperty("imported", imported);
      report.addProperty("expired", expired);
      report.addProperty("refused", refused);
      report.addProperty("complete", !isCut);
      session.json(report);
      if (isCut) {
        session.err().print("the last line does not count these entries: the export is cut off\n");
      }
      return refused == 0 && !isCut ? ExitCode.DONE : ExitCode.REFUSED;
    }
  }
}
