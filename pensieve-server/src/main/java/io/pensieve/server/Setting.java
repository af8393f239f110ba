package io.pensieve.server;

import io.pensieve.server.http.value.HeapShares;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.OptionSpec;

/**
 * All settings. A flag overrides the environment, which overrides the file, which overrides the
 * default. The names in the environment are listed in the order in which they are checked.
 */
enum Setting {
  CONFIG("FILE", "", "A properties file with settings: port=7878, and so on."),
  PORT("NUMBER", "7878", "Port to listen on; 0 picks a free one.", "PORT"),
  BIND("ADDRESS", "127.0.0.1", "Address to listen on; 0.0.0.0 listens on all."),
  CAPACITY("ENTRIES", "1000", "How many entries are kept; above that the coldest is forgotten."),
  CAPACITY_BYTES(
      "BYTES",
      HeapShares.Limit.CAPACITY_BYTES,
      "How much of the heap entries take, keys and overhead included; above that the coldest is"
          + " forgotten."),
  ALLOW_DROPS(
      "BOOLEAN",
      "false",
      "Whether a start may drop entries for which a bound that was made smaller has no room."),
  DATA_DIR("FOLDER", "./pensieve-data", "Where the log is kept; created where needed."),
  DURABILITY(
      "LEVEL",
      "process-death",
      "What an acknowledged write survives: process-death, power-cut, or none (keep no log)."),
  ON_DAMAGE(
      "POLICY",
      "refuse",
      "What a start does about a damaged log: refuse, salvage (go on with what can be read), or"
          + " empty (go on with nothing). What is damaged is set aside."),
  NODE_ID("NUMBER", "1", "The id of this node, zero or more.", "NODE_ID"),
  PEERS("URL,...", "", "The other nodes, as in http://host:7878 or https://host:7878.", "PEERS"),
  PEERS_CA(
      "FILE", "", "Who signs the certificates of https peers, in PEM; else whom this Java trusts."),
  REPLICATE(
      "BOOLEAN",
      "false",
      "Whether this node and its peers are one store, which survives the loss of a minority."),
  ADVERTISE(
      "URL", "", "Where others reach this node; by default its address, or this machine's name."),
  RAFT_PORT(
      "NUMBER",
      "",
      "The port at which the nodes of a store speak; by default 10000 above the port."),
  RAFT_LOG_BYTES(
      "BYTES",
      "268435456",
      "After how much log a node that replicates saves a snapshot, and forgets most of the log."),
  ALLOW_PLAIN_REPLICATION(
      "BOOLEAN",
      "false",
      "Whether nodes may replicate beyond loopback without TLS, readable and open to anyone."),
  TOKENS_FILE(
      "FILE", "", "Who may do what: a role and a token a line; read again when it changes."),
  TOKENS(
      "", "", "The same, separated by commas. Not a flag, which others on the machine could see."),
  ALLOW_ANONYMOUS(
      "BOOLEAN", "false", "Whether to listen beyond loopback without tokens, open to anyone."),
  ALLOWED_HOSTS(
      "NAME,...",
      "",
      "Names beside localhost under which a server without tokens answers on loopback."),
  TLS_CERTIFICATE(
      "FILE", "", "The server's certificates in PEM, its own first; then it speaks TLS."),
  TLS_KEY("FILE", "", "The certificate's private key in PEM, as PKCS #8."),
  KEY_BYTES_MAX("BYTES", "1024", "The longest key, in UTF-8."),
  VALUE_BYTES_MAX("BYTES", HeapShares.Limit.VALUE_BYTES, "The longest value, in UTF-8."),
  HEADER_BYTES_MAX("BYTES", "16384", "The longest first line and headers of a request, together."),
  CONNECTIONS_MAX(
      "NUMBER", HeapShares.Limit.CONNECTIONS, "How many connections are accepted; others wait."),
  REQUESTS_MAX(
      "NUMBER",
      HeapShares.Limit.REQUESTS,
      "How many requests may be under way; others are refused."),
  PARKED_POLLS_MAX("NUMBER", "10000", "How many requests may wait for an entry to change."),
  WATCHERS_MAX("NUMBER", HeapShares.Limit.WATCHERS, "How many clients may watch changes."),
  SILENCE_MAX("TIME", "75s", "How long a client may be silent before it is cut off."),
  DRAIN_DEADLINE("TIME", "8s", "How long a stop waits for requests that are under way."),
  ACCESS_LOG("FILE", "", "A JSON line for each answer; - for the standard output."),
  UI("BOOLEAN", "true", "Whether browsers get a page at /ui/.");

  /** The program's name, in messages. */
  static final String PROGRAM = "pensieve-server";

  private final String label;
  private final String defaultText;
  private final String description;
  private final String seedName;
  // Null if the default does not depend on the heap.
  private final HeapShares.@Nullable Limit share;

  Setting(String label, String defaultText, String description) {
    this(label, defaultText, description, "");
  }

  Setting(String label, String defaultText, String description, String seedName) {
    this.label = label;
    this.defaultText = defaultText;
    this.description = description;
    this.seedName = seedName;
    this.share = null;
  }

  Setting(String label, HeapShares.Limit share, String description) {
    this.label = label;
    this.defaultText = "";
    this.description = description;
    this.seedName = "";
    this.share = share;
  }

  /**
   * Returns whether the value is secret. A secret setting has no flag, only names in the
   * environment.
   */
  boolean isSecret() {
    return this == TOKENS;
  }

  /** Returns whether a configuration file may contain this setting. */
  boolean isInFiles() {
    return !isSecret() && this != CONFIG;
  }

  /** Returns whether the flag without a value means true. */
  boolean isSwitch() {
    return switch (this) {
      case ALLOW_ANONYMOUS, ALLOW_DROPS, ALLOW_PLAIN_REPLICATION, REPLICATE, UI -> true;
      default -> false;
    };
  }

  String flag() {
    return "--" + title();
  }

  /** Returns the name in messages and files, such as {@code data-dir}. */
  String title() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  List<String> environmentNames() {
    String ours = "PENSIEVE_" + name();
    return seedName.isEmpty() ? List.of(ours) : List.of(ours, seedName);
  }

  /** Returns the placeholder of the value in a usage line. */
  String label() {
    return label;
  }

  /** Returns the default, which may be empty. */
  String defaultText() {
    return share == null ? defaultText : String.valueOf(HeapShares.ofProcess().defaultOf(share));
  }

  /** Returns whether the default depends on the heap. */
  boolean isShareOfHeap() {
    return share != null;
  }

  String description() {
    return description;
  }

  /** The option of the command line that gives this */
  OptionSpec option() {
    String byDefault = defaultText().isEmpty() ? "none" : defaultText();
    OptionSpec.Builder option = OptionSpec.builder(flag());
    if (isSwitch()) {
      option.arity("0..1").fallbackValue("true");
    }
    return option
        .type(String.class)
        .paramLabel(label())
        .description(
            description(),
            "Environment: " + String.join(", ", environmentNames()),
            "Default: " + byDefault)
        .build();
  }
}
