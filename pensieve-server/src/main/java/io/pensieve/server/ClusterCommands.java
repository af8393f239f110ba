package io.pensieve.server;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.pensieve.log.LogException;
import io.pensieve.server.backup.BackupExtractor;
import io.pensieve.server.client.Authorities;
import io.pensieve.server.client.PensieveClient;
import io.pensieve.server.client.RefusedException;
import io.pensieve.server.replication.ClusterRecovery;
import io.pensieve.server.replication.ClusterRestore;
import io.pensieve.server.tools.BackupRestorer;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** The commands on a cluster: their requests, their output and their exit codes. */
final class ClusterCommands {
  static final String NAME = "cluster";

  private static final String STATUS = "status";
  private static final String ADD = "add";
  private static final String REMOVE = "remove";
  private static final String REPLACE = "replace";
  private static final String TRANSFER = "transfer";
  private static final String RECOVER = "recover";
  private static final String RESTORE = "restore";
  private static final String URL_FLAG = "--url";
  private static final String YES_FLAG = "--yes";
  private static final String ID = "id";
  private static final String URL = "url";
  private static final String LEADER = "leader";

  private static final Pattern ADMIN = Pattern.compile("(?m)^\\s*admin\\s+(\\S+)\\s*$");
  private static final Pattern READER =
      Pattern.compile("(?m)^\\s*(?:read|write|admin)\\s+(\\S+)\\s*$");

  private static final int OK = 0;
  private static final int UNWELL = 1;
  private static final int NOT_DONE = 2;

  private final PrintStream out;
  private final PrintStream err;

  ClusterCommands(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().mixinStandardHelpOptions(true);
    spec.usageMessage()
        .description(
            "Shows or changes the members of the cluster that a node belongs to.",
            "Finds the node, its tokens and its authorities by the settings of the server.")
        .footer("Exit code: 0 done, 1 the cluster has no leader, 2 not done.");
    return spec.addSubcommand(STATUS, command("Prints the members, the leader and their lags."))
        .addSubcommand(
            ADD, command("Adds a node that waits to be added.").addPositional(text("0", "URL")))
        .addSubcommand(REMOVE, command("Removes a member for good.").addPositional(text("0", "ID")))
        .addSubcommand(
            REPLACE,
            command("Removes a member, and adds a node, which may have the same id.")
                .addPositional(text("0", "ID"))
                .addPositional(text("1", "URL")))
        .addSubcommand(
            TRANSFER,
            command("Hands the lead over, to this member or to the most up to date one.")
                .addPositional(text("0..1", "ID")))
        .addSubcommand(RECOVER, recovery())
        .addSubcommand(RESTORE, restoring());
  }

  private static CommandSpec restoring() {
    CommandSpec restoring =
        withSettings("Founds a cluster with the entries of a backup, or of a single server.");
    restoring
        .usageMessage()
        .description(
            "Makes the first node of the cluster, in a new data-dir. Takes its settings as the"
                + " server does. The backup is not changed, and versions stay.")
        .footer("Exit code: 0 done, 2 not done.");
    return restoring.addPositional(
        PositionalParamSpec.builder()
            .index("0")
            .type(Path.class)
            .required(true)
            .paramLabel("BACKUP")
            .description("A backup, or its folder, or the data-dir of a server that is stopped.")
            .build());
  }

  private static CommandSpec recovery() {
    CommandSpec recovery =
        withSettings(
            "Makes a cluster of one out of the last node, when the majority is lost for good.");
    recovery
        .usageMessage()
        .description(
            "The node must not run. Takes its settings as the server does.",
            "Says what the node has and what may be lost. Changes nothing without "
                + YES_FLAG
                + ".")
        .footer("Exit code: 0 done, 2 not done.");
    return recovery.addOption(
        OptionSpec.builder(YES_FLAG)
            .type(boolean.class)
            .description("Go on, and lose what only the lost nodes have.")
            .build());
  }

  // Accepts every setting, so a caller can pass the same flags as to the server.
  private static CommandSpec withSettings(String header) {
    CommandSpec command = CommandSpec.create().mixinStandardHelpOptions(true);
    command.usageMessage().header(header);
    for (Setting setting : Setting.values()) {
      if (!setting.isSecret()) {
        command.addOption(setting.option().toBuilder().hidden(true).build());
      }
    }
    return command;
  }

  private static CommandSpec command(String header) {
    return withSettings(header)
        .addOption(
            OptionSpec.builder(URL_FLAG)
                .type(String.class)
                .paramLabel("URL")
                .description("Any node; by default the one on this machine that the settings name.")
                .build());
  }

  private static PositionalParamSpec text(String index, String label) {
    boolean isOptional = index.startsWith("0..");
    return PositionalParamSpec.builder()
        .index(isOptional ? "0" : index)
        .arity(isOptional ? "0..1" : "1")
        .type(String.class)
        .paramLabel(label)
        .description(label.equals("URL") ? "The node, as http://host:7878." : "A member's id.")
        .build();
  }

  /** Runs the command, and returns its exit code. */
  int run(Map<Setting, SettingValue> given, ParseResult command) {
    String name = command.commandSpec().name();
    if (name.equals(RECOVER)) {
      return recover(asNode(given, name), command.hasMatchedOption(YES_FLAG));
    }
    if (name.equals(RESTORE)) {
      return restore(asNode(given, name), command.matchedPositionalValue(0, Path.of("")));
    }
    String first = command.matchedPositionalValue(0, "");
    String second = command.matchedPositionalValue(1, "");
    String url = command.matchedOptionValue(URL_FLAG, "");
    try {
      Node node =
          new Node(
              url.isEmpty() ? Configuration.localUrl(given) : url.replaceFirst("/+$", ""),
              token(given, name.equals(STATUS) ? READER : ADMIN),
              trust(given));
      return switch (name) {
        case STATUS -> status(node);
        case ADD -> change(node, name, Map.of(URL, first));
        case REMOVE -> change(node, name, Map.of(ID, first));
        case REPLACE -> change(node, name, Map.of(ID, first, URL, second));
        default -> change(node, name, Map.of(ID, first));
      };
    } catch (IOException | IllegalArgumentException notDone) {
      return refuse(String.valueOf(notDone.getMessage()));
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return NOT_DONE;
    }
  }

  private static Configuration asNode(Map<Setting, SettingValue> given, String name) {
    given.put(Setting.REPLICATE, new SettingValue("true", "cluster " + name));
    return Configuration.of(given);
  }

  private int recover(Configuration node, boolean consents) {
    Configuration.RaftEndpoint raft = node.raft().orElseThrow();
    ClusterRecovery recovery =
        new ClusterRecovery(
            node.dataDir(), Long.toString(node.nodeId()), raft.url(), raft.port(), out);
    try {
      recovery.explain();
      if (!consents) {
        return refuse("nothing was changed; to go on, give " + YES_FLAG);
      }
      recovery.run();
      return OK;
    } catch (IOException notDone) {
      return refuse(String.valueOf(notDone.getMessage()));
    }
  }

  private int restore(Configuration node, Path backup) {
    Configuration.RaftEndpoint raft = node.raft().orElseThrow();
    try {
      if (Files.isRegularFile(backup)) {
        restoreFile(node, raft, backup);
      } else {
        restoreFolder(node, raft, backup);
      }
      return OK;
    } catch (LogException | IOException notDone) {
      return refuse(String.valueOf(notDone.getMessage()));
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return NOT_DONE;
    }
  }

  private void restoreFile(Configuration node, Configuration.RaftEndpoint raft, Path backup)
      throws IOException, InterruptedException {
    Path unpacked = node.dataDir().resolveSibling(node.dataDir().getFileName() + ".unpacked");
    BackupExtractor.delete(unpacked); // what a restore that was cut short has left
    try (InputStream archive = Files.newInputStream(backup)) {
      int unused = BackupRestorer.restore(archive, unpacked);
      restoreFolder(node, raft, unpacked);
    } finally {
      BackupExtractor.delete(unpacked);
    }
  }

  private void restoreFolder(Configuration node, Configuration.RaftEndpoint raft, Path log)
      throws IOException, InterruptedException {
    new MapOpener(node, out, err).requireConsentToDrop(log);
    new ClusterRestore(
            log, node.dataDir(), Long.toString(node.nodeId()), raft.url(), raft.port(), out)
        .run();
  }

  private int refuse(String why) {
    err.println(Setting.PROGRAM + ": " + why.lines().findFirst().orElse(""));
    return NOT_DONE;
  }

  private static Optional<String> token(Map<Setting, SettingValue> given, Pattern role)
      throws IOException {
    Optional<Path> file = get(given, Setting.TOKENS_FILE).file();
    String lines =
        file.isPresent()
            ? Files.readString(file.get())
            : get(given, Setting.TOKENS).text().replace(',', '\n');
    Matcher token = role.matcher(lines);
    if (token.find()) {
      return Optional.of(token.group(1));
    }
    if (lines.isBlank()) {
      return Optional.empty();
    }
    throw new IOException("there is no token for this: it needs the role admin");
  }

  private static Optional<SSLContext> trust(Map<Setting, SettingValue> given) throws IOException {
    Optional<Path> authorities = get(given, Setting.PEERS_CA).file();
    return authorities.isPresent()
        ? Optional.of(Authorities.trusting(authorities.get()))
        : Optional.empty();
  }

  private static SettingValue get(Map<Setting, SettingValue> given, Setting setting) {
    return given.getOrDefault(setting, SettingValue.byDefault(setting));
  }

  /**
   * A node, as this program reaches it.
   *
   * @param url without a slash at its end
   * @param trust whom to trust; empty for those whom Java trusts
   */
  private record Node(String url, Optional<String> token, Optional<SSLContext> trust) {
    Node at(String other) {
      return new Node(other, token, trust);
    }

    JsonObject get(String path) throws IOException, InterruptedException {
      try {
        return client().getJson(path);
      } catch (RefusedException refused) {
        throw saying(refused);
      }
    }

    void post(String path, JsonObject body) throws IOException, InterruptedException {
      try {
        JsonObject unused = client().postJson(path, body);
      } catch (RefusedException refused) {
        throw saying(refused);
      }
    }

    private PensieveClient client() {
      return new PensieveClient(URI.create(url), token, trust);
    }

    // A command may ask two nodes: which one refuses?
    private IOException saying(RefusedException refused) {
      return new IOException(url + " answers " + refused.getMessage(), refused);
    }
  }

  private static String text(JsonObject json, String name) {
    JsonElement value = json.get(name);
    return value == null || value.isJsonNull() ? "" : value.getAsString();
  }

  private int status(Node node) throws IOException, InterruptedException {
    JsonObject cluster = clusterAt(node);
    if (!cluster.has("role")) {
      throw new IOException(node.url() + " does not replicate");
    }
    String leader = text(cluster, LEADER);
    Optional<String> leaderUrl = urlOf(cluster, leader);
    // Only the leader knows how far the others are behind.
    JsonObject shown = leaderUrl.isPresent() ? clusterAt(node.at(leaderUrl.get())) : cluster;
    out.printf(
        "term %s, leader %s, %s entries committed%n",
        text(shown, "term"), leader.isEmpty() ? "unknown" : leader, text(shown, "commit_index"));
    for (JsonElement each : members(shown)) {
      JsonObject member = each.getAsJsonObject();
      String lag = text(member, "lag");
      out.printf(
          "  %-8s %-32s %s%n",
          text(member, ID),
          text(member, URL),
          text(member, ID).equals(leader)
              ? LEADER
              : lag.isEmpty()
                  ? ""
                  : lag + " entries behind, heard " + text(member, "silent_ms") + " ms ago");
    }
    String waitsFor = text(cluster, "waits_for");
    if (!waitsFor.isEmpty()) {
      out.println(node.url() + ": " + waitsFor);
    }
    return leader.isEmpty() ? UNWELL : OK;
  }

  private static JsonObject clusterAt(Node node) throws IOException, InterruptedException {
    return node.get("/v1/cluster");
  }

  private static List<JsonElement> members(JsonObject cluster) {
    return cluster.has("members") ? cluster.getAsJsonArray("members").asList() : List.of();
  }

  private static Optional<String> urlOf(JsonObject cluster, String id) {
    return members(cluster).stream()
        .map(JsonElement::getAsJsonObject)
        .filter(member -> text(member, ID).equals(id))
        .map(member -> text(member, URL))
        .findFirst();
  }

  private int change(Node node, String what, Map<String, String> fields)
      throws IOException, InterruptedException {
    JsonObject body = new JsonObject();
    fields.forEach(body::addProperty);
    node.post("/v1/cluster/" + what, body);
    out.println("done");
    return OK;
  }
}
