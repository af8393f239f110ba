package io.pensieve.server.command;

import com.google.gson.JsonObject;
import io.pensieve.server.client.PensieveClient;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import picocli.CommandLine.Model.CommandSpec;

/** Deletes one key, the keys with a prefix, or all. */
final class DeleteCommand implements Command {
  private static final String PREFIX = "--prefix";
  private static final String ALL = "--all";
  private static final String IF_VERSION = "--if-version";

  @Override
  public String name() {
    return "delete";
  }

  @Override
  public CommandSpec spec() {
    return Options.command(
            "Deletes a key, also a missing one; or many keys.",
            "Many keys are deleted piece by piece. If it breaks off, run it again.")
        .addPositional(Options.optional(0, "KEY", "The key."))
        .addOption(Options.text(PREFIX, "TEXT", "All keys that begin with this."))
        .addOption(Options.flag(ALL, "All keys."))
        .addOption(Options.text(IF_VERSION, "VERSION", "Only if the entry has this version."));
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    boolean isOne = session.arguments().hasMatchedPositional(0);
    int ways = (isOne ? 1 : 0) + (session.has(PREFIX) ? 1 : 0) + (session.has(ALL) ? 1 : 0);
    if (ways != 1 || (!isOne && session.has(IF_VERSION))) {
      throw new UsageException("expected one of a key, " + PREFIX + " and " + ALL);
    }
    if (!isOne) {
      return deleteMany(session);
    }
    HttpRequest.Builder request =
        session
            .client()
            .request("/v1/kv/" + PensieveClient.escaped(session.positional(0)))
            .DELETE();
    if (session.has(IF_VERSION)) {
      request.setHeader("If-Match", "\"" + session.text(IF_VERSION) + "\"");
    }
    HttpResponse<InputStream> response = session.client().send(request);
    response.body().close();
    return ExitCode.DONE;
  }

  private static int deleteMany(Session session) throws IOException, InterruptedException {
    String query =
        session.has(ALL)
            ? "/v1/keys?all=true"
            : "/v1/keys?prefix=" + PensieveClient.escaped(session.text(PREFIX));
    Progress progress = Progress.on(session, "deleted");
    long deleted = 0;
    String cursor = "";
    while (true) {
      JsonObject piece;
      try {
        piece = session.client().deleteJson(query + cursor);
      } catch (IOException broken) {
        if (deleted > 0) {
          progress.end(deleted);
        }
        throw broken;
      }
      deleted += piece.get("deleted").getAsLong();
      if (piece.get("done").getAsBoolean()) {
        progress.clear();
        break;
      }
      progress.show(deleted);
      cursor = "&cursor=" + piece.get("cursor").getAsString();
    }
    if (session.isJson()) {
      session.json("deleted", deleted);
    } else {
      session.line("deleted " + deleted);
    }
    return ExitCode.DONE;
  }
}
