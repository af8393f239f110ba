package io.pensieve.server;

import io.pensieve.log.Durability;
import io.pensieve.server.http.access.AllowedHosts;
import io.pensieve.server.http.access.Tokens;
import io.pensieve.server.http.admin.SettingsRoute;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.server.http.value.CurrentCapacity;
import io.pensieve.server.http.value.HeapShares;
import io.pensieve.server.http.value.WaitLimits;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The parsed and checked settings.
 *
 * @param address where to listen
 * @param capacity the most entries to keep
 * @param capacityBytes the most heap bytes that the entries may take
 * @param allowDrops whether the start may drop entries that exceed the capacity
 * @param dataDir the folder of the log
 * @param durability what a write survives; empty for no log
 * @param onDamage what the start does if the log is damaged
 * @param nodeId the id of this node
 * @param peers the URLs of the other nodes
 * @param peersCa the file with the authorities that sign the peers' certificates; empty for those
 *     that Java trusts
 * @param tokensFile the file with the tokens, if they are in a file
 * @param tokens the tokens, if the settings contain them
 * @param allowedHosts the host names that a caller without a token may use
 * @param tlsFiles the files of the certificates and their key; empty for no TLS
 * @param limits the size limits of keys and values
 * @param connections the limits on connections, requests and silence
 * @param accessLog the file that gets a line per response, or {@code -} for the standard output;
 *     empty for none
 * @param ui whether browsers get a page
 * @param raft how others reach this node, if it replicates
 */
record Configuration(
    InetSocketAddress address,
    long capacity,
    long capacityBytes,
    boolean allowDrops,
    Path dataDir,
    Optional<Durability> durability,
    DamagePolicy onDamage,
    long nodeId,
    List<URI> peers,
    Optional<Path> peersCa,
    Optional<Path> tokensFile,
    Optional<Tokens> tokens,
    AllowedHosts allowedHosts,
    List<Path> tlsFiles,
    SizeLimits limits,
    ConnectionLimits connections,
    String accessLog,
    boolean ui,
    Optional<RaftEndpoint> raft) {
  private static final int PORT_MAX = 65_535;
  private static final int RAFT_PORT_ABOVE = 10_000;
  private static final long RAFT_LOG_BYTES_MIN = 1 << 20;
  // An entry that replicates a value must fit the buffers of the engine, on every node.
  private static final int REPLICATED_VALUE_BYTES_MAX = 16 << 20;
  private static final int KEY_BYTES_MAX = 64 << 10;
  // A log entry is at most 64 MiB, including its key and its frame.
  private static final int VALUE_BYTES_MAX = 63 << 20;
  private static final int HEADER_BYTES_MIN = 1 << 10;
  private static final int HEADER_BYTES_MAX = 1 << 20;
  private static final int CLIENTS_MAX = 1 << 20;
  private static final Duration SILENCE_MIN = Duration.ofMillis(100);
  private static final Duration TIME_MAX = Duration.ofHours(1);

  /**
   * Parses and checks the settings.
   *
   * @throws StartupException if a setting is invalid; the message names it and its source
   */
  static Configuration of(Map<Setting, SettingValue> given) {
    InetSocketAddress address = new InetSocketAddress(bind(given), port(given));
    requireConsent(given, address.getAddress());
    return new Configuration(
        address,
        get(given, Setting.CAPACITY).number(1, SettingsRoute.CAPACITY_MAX),
        capacityBytes(given),
        get(given, Setting.ALLOW_DROPS).yes(),
        get(given, Setting.DATA_DIR).folder(),
        get(given, Setting.REPLICATE).yes()
            ? Optional.of(Durability.POWER_CUT)
            : durability(get(given, Setting.DURABILITY)),
        onDamage(get(given, Setting.ON_DAMAGE)),
        get(given, Setting.NODE_ID).number(0, Long.MAX_VALUE),
        peers(given),
        get(given, Setting.PEERS_CA).file(),
        get(given, Setting.TOKENS_FILE).file(),
        tokens(given),
        allowedHosts(given),
        tlsFiles(given),
        limits(given),
        new ConnectionLimits(
            (int)
                get(given, Setting.CONNECTIONS_MAX)
                    .share(1, CLIENTS_MAX, HeapShares.ofProcess().connectionsMax()),
            (int)
                get(given, Setting.REQUESTS_MAX)
                    .share(1, CLIENTS_MAX, HeapShares.ofProcess().requestsMax()),
            get(given, Setting.SILENCE_MAX).duration(SILENCE_MIN, TIME_MAX),
            get(given, Setting.DRAIN_DEADLINE).duration(Duration.ZERO, TIME_MAX)),
        get(given, Setting.ACCESS_LOG).text(),
        get(given, Setting.UI).yes(),
        raft(given, address));
  }

  /**
   * How others reach a node that replicates.
   *
   * @param url the URL of its HTTP server
   * @param port its Raft port
   * @param logBytes after how much log it saves a snapshot
   */
  record RaftEndpoint(URI url, int port, long logBytes) {}

  private static Optional<RaftEndpoint> raft(
      Map<Setting, SettingValue> given, InetSocketAddress address) {
    SettingValue replicate = get(given, Setting.REPLICATE);
    if (!replicate.yes()) {
      return Optional.empty();
    }
    if (address.getPort() == 0) {
      throw new StartupException(
          replicate.source() + ": a node that replicates needs a port that stays", null);
    }
    if (durability(get(given, Setting.DURABILITY)).isEmpty()) {
      throw new StartupException(
          get(given, Setting.DURABILITY).source() + ": a node that replicates keeps a log", null);
    }
    requireRaftTls(given, address);
    SettingValue port = get(given, Setting.RAFT_PORT);
    int raftPort =
        port.isGiven()
            ? (int) port.number(1, PORT_MAX)
            : Math.toIntExact(address.getPort() + RAFT_PORT_ABOVE);
    if (raftPort > PORT_MAX) {
      throw new StartupException(
          replicate.source() + ": give " + Setting.RAFT_PORT.flag() + ", the default is too high",
          null);
    }
    return Optional.of(
        new RaftEndpoint(
            advertised(given, address),
            raftPort,
            get(given, Setting.RAFT_LOG_BYTES).number(RAFT_LOG_BYTES_MIN, Long.MAX_VALUE)));
  }

  // Whoever speaks at the Raft port can write anything, so only an explicit setting opens it.
  private static void requireRaftTls(Map<Setting, SettingValue> given, InetSocketAddress address) {
    boolean isTls = get(given, Setting.TLS_CERTIFICATE).isGiven();
    if (isTls && !get(given, Setting.PEERS_CA).isGiven()) {
      throw new StartupException(
          get(given, Setting.TLS_CERTIFICATE).source()
              + ": a node that replicates must know who signs its peers' certificates: give "
              + Setting.PEERS_CA.flag(),
          null);
    }
    boolean isOpen = get(given, Setting.ALLOW_PLAIN_REPLICATION).yes();
    if (!isTls && !isOpen && !address.getAddress().isLoopbackAddress()) {
      throw new StartupException(
          get(given, Setting.REPLICATE).source()
              + ": refused to replicate beyond loopback without TLS: give "
              + Setting.TLS_CERTIFICATE.flag()
              + ", "
              + Setting.TLS_KEY.flag()
              + " and "
              + Setting.PEERS_CA.flag()
              + ", or consent by "
              + Setting.ALLOW_PLAIN_REPLICATION.flag(),
          null);
    }
  }

  private static URI advertised(Map<Setting, SettingValue> given, InetSocketAddress address) {
    SettingValue advertise = get(given, Setting.ADVERTISE);
    List<URI> urls = advertise.nodeUrls();
    if (urls.size() > 1) {
      throw advertise.refused("one URL,");
    }
    if (!urls.isEmpty()) {
      return urls.get(0);
    }
    String scheme = get(given, Setting.TLS_CERTIFICATE).isGiven() ? "https" : "http";
    try {
      String authority =
          address.getAddress().isAnyLocalAddress()
              ? InetAddress.getLocalHost().getHostName() + ":" + address.getPort()
              : text(address);
      return URI.create(scheme + "://" + authority);
    } catch (UnknownHostException | IllegalArgumentException unknown) {
      throw new StartupException(
          get(given, Setting.REPLICATE).source() + ": give " + Setting.ADVERTISE.flag(), unknown);
    }
  }

  // Every key must fit into a request head: in the path, or as the cursor of a listing.
  private static int headerBytesMax(Map<Setting, SettingValue> given) {
    SettingValue keys = get(given, Setting.KEY_BYTES_MAX);
    int needed = SizeLimits.headerBytesFor((int) keys.number(1, KEY_BYTES_MAX));
    SettingValue heads = get(given, Setting.HEADER_BYTES_MAX);
    int bytes = (int) heads.number(HEADER_BYTES_MIN, HEADER_BYTES_MAX);
    if (bytes >= needed) {
      return bytes;
    }
    if (heads.source().equals(SettingValue.BY_DEFAULT)) {
      return needed;
    }
    throw new StartupException(
        heads.source()
            + ": a key of "
            + keys.text()
            + " bytes needs "
            + needed
            + " bytes, found \""
            + heads.text()
            + "\"",
        null);
  }

  private static long capacityBytes(Map<Setting, SettingValue> given) {
    return get(given, Setting.CAPACITY_BYTES)
        .share(
            SettingsRoute.CAPACITY_BYTES_MIN,
            Long.MAX_VALUE,
            HeapShares.ofProcess().capacityBytesMax());
  }

  private static SizeLimits limits(Map<Setting, SettingValue> given) {
    return new SizeLimits(
        (int) get(given, Setting.KEY_BYTES_MAX).number(1, KEY_BYTES_MAX),
        (int)
            get(given, Setting.VALUE_BYTES_MAX)
                .share(1, valueBytesMax(given), HeapShares.ofProcess().valueBytesMax()),
        headerBytesMax(given),
        WaitLimits.of(
            (int) get(given, Setting.PARKED_POLLS_MAX).number(0, CLIENTS_MAX),
            (int)
                get(given, Setting.WATCHERS_MAX)
                    .share(0, CLIENTS_MAX, HeapShares.ofProcess().watchersMax())),
        new CurrentCapacity(
            get(given, Setting.CAPACITY).number(1, SettingsRoute.CAPACITY_MAX),
            capacityBytes(given)));
  }

  private static int valueBytesMax(Map<Setting, SettingValue> given) {
    return get(given, Setting.REPLICATE).yes() ? REPLICATED_VALUE_BYTES_MAX : VALUE_BYTES_MAX;
  }

  /** Returns the URL of the server on this machine. Does not check the other settings. */
  static String localUrl(Map<Setting, SettingValue> given) {
    String scheme = get(given, Setting.TLS_CERTIFICATE).isGiven() ? "https" : "http";
    InetAddress bound = bind(given);
    InetSocketAddress called =
        bound.isAnyLocalAddress()
            ? new InetSocketAddress(InetAddress.getLoopbackAddress(), port(given))
            : new InetSocketAddress(bound, port(given));
    return scheme + "://" + text(called);
  }

  /** Returns the folder of the log, whatever the other settings are. */
  static Path dataDir(Map<Setting, SettingValue> given) {
    return get(given, Setting.DATA_DIR).folder();
  }

  /** Formats an address for a URL. */
  static String text(InetSocketAddress address) {
    String host = address.getAddress().getHostAddress();
    String part = host.contains(":") ? "[" + host.replace("%", "%25") + "]" : host;
    return part + ":" + address.getPort();
  }

  private static int port(Map<Setting, SettingValue> given) {
    return (int) get(given, Setting.PORT).number(0, PORT_MAX);
  }

  private static InetAddress bind(Map<Setting, SettingValue> given) {
    SettingValue bind = get(given, Setting.BIND);
    try {
      return InetAddress.getByName(bind.text());
    } catch (UnknownHostException unknown) {
      throw bind.refused("an address or a name of this machine,");
    }
  }

  // Only an explicit setting exposes a server without tokens to other machines; no default does.
  private static void requireConsent(Map<Setting, SettingValue> given, InetAddress address) {
    SettingValue file = get(given, Setting.TOKENS_FILE);
    SettingValue tokens = get(given, Setting.TOKENS);
    SettingValue anonymous = get(given, Setting.ALLOW_ANONYMOUS);
    if (file.isGiven() && tokens.isGiven()) {
      throw new StartupException(
          file.source() + " and " + tokens.source() + ": give one of them", null);
    }
    boolean protectedByTokens = file.isGiven() || tokens.isGiven();
    if (anonymous.yes() && protectedByTokens) {
      throw new StartupException(
          anonymous.source() + ": there are tokens, so that nobody is anonymous", null);
    }
    if (!address.isLoopbackAddress() && !protectedByTokens && !anonymous.yes()) {
      throw new StartupException(
          get(given, Setting.BIND).source()
              + ": refused to listen on "
              + address.getHostAddress()
              + " without tokens: give "
              + Setting.TOKENS_FILE.flag()
              + ", or let anyone in by "
              + Setting.ALLOW_ANONYMOUS.flag(),
          null);
    }
  }

  // A server that is open to everyone has unknown names, so it accepts all unless some are given.
  private static AllowedHosts allowedHosts(Map<Setting, SettingValue> given) {
    SettingValue hosts = get(given, Setting.ALLOWED_HOSTS);
    return get(given, Setting.ALLOW_ANONYMOUS).yes() && !hosts.isGiven()
        ? AllowedHosts.any()
        : AllowedHosts.named(hosts.hostNames());
  }

  private static Optional<Tokens> tokens(Map<Setting, SettingValue> given) {
    SettingValue tokens = get(given, Setting.TOKENS);
    if (!tokens.isGiven()) {
      return Optional.empty();
    }
    try {
      String lines = tokens.text().replace(',', '\n');
      boolean hasPeers = get(given, Setting.PEERS).isGiven();
      return Optional.of(complete(Tokens.parse(lines), hasPeers));
    } catch (IllegalArgumentException unusable) {
      // The message names the line, but does not quote it.
      throw new StartupException(tokens.source() + ": " + unusable.getMessage(), unusable);
    }
  }

  /**
   * Returns the same tokens.
   *
   * @throws IllegalArgumentException if a node with peers has no peer token: all peers would
   *     consider it dead
   */
  static Tokens complete(Tokens tokens, boolean hasPeers) {
    if (hasPeers && tokens.peerToken().isEmpty()) {
      throw new IllegalArgumentException("expected a peer token too, since there are peers");
    }
    return tokens;
  }

  private static List<Path> tlsFiles(Map<Setting, SettingValue> given) {
    SettingValue certificate = get(given, Setting.TLS_CERTIFICATE);
    SettingValue key = get(given, Setting.TLS_KEY);
    if (certificate.isGiven() != key.isGiven()) {
      SettingValue alone = certificate.isGiven() ? certificate : key;
      throw new StartupException(
          alone.source() + ": a certificate and its key belong together, give both", null);
    }
    return Stream.of(certificate, key).flatMap(file -> file.file().stream()).toList();
  }

  private static List<URI> peers(Map<Setting, SettingValue> given) {
    SettingValue peers = get(given, Setting.PEERS);
    List<URI> urls = peers.nodeUrls();
    Optional<URI> plain = urls.stream().filter(url -> !"https".equals(url.getScheme())).findFirst();
    SettingValue certificate = get(given, Setting.TLS_CERTIFICATE);
    // Without this check the peers' token would travel in clear text, and nothing would warn of it.
    if (plain.isPresent() && certificate.isGiven()) {
      throw new StartupException(
          peers.source()
              + ": "
              + plain.get()
              + " would be watched without TLS, which is spoken here: give https URLs for all"
              + " peers",
          null);
    }
    SettingValue ca = get(given, Setting.PEERS_CA);
    if (plain.isPresent() && ca.isGiven()) {
      throw new StartupException(
          ca.source() + ": " + plain.get() + " shows no certificate: give https URLs for all peers",
          null);
    }
    return urls;
  }

  private static Optional<Durability> durability(SettingValue value) {
    return switch (value.text()) {
      case "process-death" -> Optional.of(Durability.PROCESS_DEATH);
      case "power-cut" -> Optional.of(Durability.POWER_CUT);
      case "none" -> Optional.empty();
      default -> throw value.refused("process-death, power-cut or none,");
    };
  }

  private static DamagePolicy onDamage(SettingValue value) {
    return switch (value.text()) {
      case "refuse" -> DamagePolicy.REFUSE;
      case "salvage" -> DamagePolicy.SALVAGE;
      case "empty" -> DamagePolicy.EMPTY;
      default -> throw value.refused("refuse, salvage or empty,");
    };
  }

  private static SettingValue get(Map<Setting, SettingValue> given, Setting setting) {
    SettingValue found = given.get(setting);
    if (found == null) {
      throw new IllegalArgumentException("not resolved: " + setting);
    }
    return found;
  }
}
