package io.pensieve.server.command;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.pensieve.server.client.PensieveClient;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Prints all entries as JSON lines, in the order of their keys. Holds one page of keys and one
 * answer with values at a time. The last line counts the entries, so that a file that was cut off
 * can be told from a whole one.
 */
final class ExportCommand implements Command {
  static final String END = "entries_exported";
  static final String EXPIRES_AT = "expires_at_ms";
  static final String TTL = "ttl_ms";

  private static final int PAGE = 1000;
  // A server takes 16 KiB of first line and headers by default, and each key takes part of it.
  private static final int QUERY_CHARACTERS_MAX = 8 << 10;
  private static final int OUTPUT_BYTES = 64 << 10;

  @Override
  public String name() {
    return "export";
  }

  @Override
  public CommandSpec spec() {
    return Options.command(
            "Prints all entries as JSON lines, with type, version and expiry.",
            "An entry that changes meanwhile is exported as it was or as it is. This is no use of"
                + " it. The last line counts the entries; import --json asks for it.")
        .addPositional(Options.optional(0, "FILE", "A new file; without it, the output."))
        .addOption(Options.text("--prefix", "TEXT", "Only keys that begin with this."));
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    String file = session.positional(0);
    if (file.isEmpty()) {
      return export(session, session.out());
    }
    try (PrintStream out =
        new PrintStream(
            new BufferedOutputStream(
                Files.newOutputStream(
                    Path.of(file), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                OUTPUT_BYTES),
            false,
            StandardCharsets.UTF_8)) {
      return export(session, out);
    } catch (FileAlreadyExistsException exists) {
      throw new UsageException(file + " is there already");
    }
  }

  private static int export(Session session, PrintStream out)
      throws IOException, InterruptedException {
    String prefix = PensieveClient.escaped(session.text("--prefix"));
    long total = session.client().getJson("/v1/count?prefix=" + prefix).get("count").getAsLong();
    Progress progress = Progress.on(session, "exported", total);
    long exported = 0;
    String cursor = "";
    do {
      JsonObject page =
          session.client().getJson("/v1/keys?prefix=" + prefix + "&limit=" + PAGE + cursor);
      Queue<String> keys = new ArrayDeque<>(texts(page.getAsJsonArray("keys")));
      while (!keys.isEmpty()) {
        exported += exportSome(session.client(), keys, out);
        if (out.checkError()) {
          return ExitCode.OUTPUT_BROKEN;
        }
        progress.show(exported);
      }
      cursor = page.has("cursor") ? "&cursor=" + page.get("cursor").getAsString() : "";
    } while (!cursor.isEmpty());
    JsonObject end = new JsonObject();
    end.addProperty(END, exported);
    out.print(end + "\n");
    progress.clear();
    return out.checkError() ? ExitCode.OUTPUT_BROKEN : ExitCode.DONE;
  }

  // Takes as many keys as fit a request. Those whose values did not fit the answer come again.
  private static int exportSome(PensieveClient client, Queue<String> keys, PrintStream out)
      throws IOException, InterruptedException {
    StringBuilder query = new StringBuilder("/v1/mget?peek=true&key=");
    query.append(PensieveClient.escaped(keys.remove()));
    while (!keys.isEmpty()) {
      String next = "&key=" + PensieveClient.escaped(keys.element());
      if (query.length() + next.length() > QUERY_CHARACTERS_MAX) {
        break;
      }
      query.append(next);
      keys.remove();
    }
    JsonObject answer = client.getJson(query.toString());
    long now = System.currentTimeMillis();
    JsonArray entries = answer.getAsJsonArray("entries");
    for (JsonElement each : entries) {
      JsonObject entry = each.getAsJsonObject();
      if (entry.has(TTL)) {
        entry.addProperty(EXPIRES_AT, now + entry.remove(TTL).getAsLong());
      }
      out.print(TerminalText.line(entry.toString()) + "\n");
    }
    keys.addAll(texts(answer.getAsJsonArray("left_out")));
    return entries.size();
  }

  private static List<String> texts(JsonArray array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.getAsString()));
    return texts;
  }
}
