package io.pensieve.server.command;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;

/** Prints how a server is. */
final class StatusCommand implements Command {
  private static final double MIB = 1 << 20;

  @Override
  public String name() {
    return "status";
  }

  @Override
  public CommandSpec spec() {
    return Options.command("Prints how a server is.", "Ends with 1 if an alarm is raised.");
  }

  @Override
  public int run(Session session) throws IOException, InterruptedException {
    JsonObject status = session.client().getJson("/v1/status");
    int alarms = status.getAsJsonArray("alarms").size();
    if (session.isJson()) {
      session.json(status);
    } else {
      show(session, status);
    }
    return alarms == 0 ? ExitCode.DONE : ExitCode.NO;
  }

  private static void show(Session session, JsonObject status) {
    Duration uptime = Duration.ofMillis(status.get("uptime_ms").getAsLong());
    row(session, "version", text(status, "version") + ", up " + uptime.toSeconds() + " s");
    row(session, "durability", text(status, "durability"));
    row(session, "replicates", text(status, "replicates"));
    row(session, "entries", text(status, "entries") + " of " + text(status, "entries_max"));
    row(
        session,
        "heap of entries",
        mebibytes(status, "weight_bytes") + " of " + mebibytes(status, "weight_bytes_max"));
    row(session, "waiting clients", text(status, "polls") + " polls, " + text(status, "watchers"));
    if (status.get("log").isJsonObject()) {
      JsonObject log = status.getAsJsonObject("log");
      row(
          session,
          "log",
          mebibytes(log, "base_bytes")
              + " of entries, "
              + mebibytes(log, "changes_bytes")
              + " of changes, "
              + mebibytes(log, "free_bytes")
              + " free");
    }
    for (JsonElement each : status.getAsJsonArray("alarms")) {
      JsonObject alarm = each.getAsJsonObject();
      row(session, "ALARM", text(alarm, "alarm") + ": " + text(alarm, "reason"));
    }
  }

  private static void row(Session session, String name, String value) {
    session.line(String.format("%-16s %s", name, value));
  }

  private static String text(JsonObject json, String name) {
    JsonElement value = json.get(name);
    return value == null || value.isJsonNull() ? "-" : value.getAsString();
  }

  private static String mebibytes(JsonObject json, String name) {
    JsonElement value = json.get(name);
    return value == null || value.isJsonNull()
        ? "-"
        : String.format("%.1f MiB", value.getAsLong() / MIB);
  }
}
