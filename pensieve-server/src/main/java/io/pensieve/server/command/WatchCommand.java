package io.pensieve.server.command;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.server.client.EventReader;
import io.pensieve.server.client.PensieveClient;
import io.pensieve.server.client.RefusedException;
import io.pensieve.server.client.UnreachableException;
import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;

/** Prints changes as they happen. */
final class WatchCommand implements Command {
  private static final String SINCE = "--since";
  private static final String COUNT = "--count";

  @Override
  public String name() {
    return "watch";
  }

  @Override
  public CommandSpec spec() {
    return Options.command("Prints changes as they happen, until it is stopped.")
        .addPositional(Options.optional(0, "PREFIX", "Only keys that begin with this."))
        .addOption(Options.text(SINCE, "VERSION", "Also the changes after this version."))
        .addOption(Options.text(COUNT, "N", "End after so many changes."));
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    String query = "/v1/watch?prefix=" + PensieveClient.escaped(session.positional(0));
    if (session.has(SINCE)) {
      query += "&since=" + PensieveClient.escaped(session.text(SINCE));
    }
    long left = session.has(COUNT) ? Options.count(COUNT, session.text(COUNT)) : Long.MAX_VALUE;
    try (EventReader events =
        new EventReader(session.client().send(session.client().request(query)).body())) {
      for (EventReader.Event event; left > 0 && (event = events.next()) != null; left--) {
        if (event.name().equals("history_forgotten")) {
          session.err().println("the changes since then are gone: list, and watch anew");
          return ExitCode.REFUSED;
        }
        show(session, event);
        if (session.isOutputBroken()) {
          return ExitCode.OUTPUT_BROKEN;
        }
      }
    } catch (RefusedException | UnreachableException known) {
      throw known;
    } catch (IOException broken) {
      throw new UnreachableException("the stream broke: " + broken.getMessage(), broken);
    }
    if (left > 0) {
      session.err().println("the server has ended the stream");
      return ExitCode.UNREACHABLE;
    }
    return ExitCode.DONE;
  }

  private static void show(Session session, EventReader.Event event) {
    JsonObject change = JsonParser.parseString(event.data()).getAsJsonObject();
    if (session.isJson()) {
      JsonObject line = new JsonObject();
      line.addProperty("event", event.name());
      change.entrySet().forEach(field -> line.add(field.getKey(), field.getValue()));
      session.json(line);
      return;
    }
    StringBuilder line = new StringBuilder(event.name()).append(' ').append(text(change, "key"));
    if (change.has("value")) {
      line.append(' ').append(text(change, "value"));
    } else if (change.has("value_base64")) {
      line.append(" base64:").append(text(change, "value_base64"));
    }
    session.line(line.toString());
  }

  private static String text(JsonObject json, String name) {
    return json.get(name).getAsString();
  }
}
