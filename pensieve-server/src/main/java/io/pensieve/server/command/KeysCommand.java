package io.pensieve.server.command;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.pensieve.server.client.PensieveClient;
import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;

/** Lists keys, in order. */
final class KeysCommand implements Command {
  private static final String DELIMITER = "--delimiter";
  private static final String LIMIT = "--limit";
  private static final int PAGE = 1000;

  @Override
  public String name() {
    return "keys";
  }

  @Override
  public CommandSpec spec() {
    return Options.command(
            "Lists keys, in order, one a line.",
            "A control character is printed as an escape; --json prints keys as JSON strings.")
        .addPositional(Options.optional(0, "PREFIX", "Only keys that begin with this."))
        .addOption(Options.text(DELIMITER, "TEXT", "Print what keys have up to this, once."))
        .addOption(Options.text(LIMIT, "N", "At most so many lines; else all."));
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    long left = session.has(LIMIT) ? Options.count(LIMIT, session.text(LIMIT)) : Long.MAX_VALUE;
    String query = "/v1/keys?prefix=" + PensieveClient.escaped(session.positional(0));
    if (session.has(DELIMITER)) {
      query += "&delimiter=" + PensieveClient.escaped(session.text(DELIMITER));
    }
    String cursor = "";
    while (left > 0) {
      long limit = Math.min(PAGE, left);
      JsonObject page = session.client().getJson(query + "&limit=" + limit + cursor);
      for (String field : new String[] {"keys", "prefixes"}) {
        for (JsonElement name : page.getAsJsonArray(field)) {
          show(session, name.getAsString());
          left--;
        }
      }
      if (!page.has("cursor")) {
        return ExitCode.DONE;
      }
      if (session.isOutputBroken()) {
        return ExitCode.OUTPUT_BROKEN;
      }
      cursor = "&cursor=" + page.get("cursor").getAsString();
    }
    return ExitCode.DONE;
  }

  private static void show(Session session, String name) {
    if (session.isJson()) {
      session.json(new JsonPrimitive(name));
    } else {
      session.line(name);
    }
  }
}
