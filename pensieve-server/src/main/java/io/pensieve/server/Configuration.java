package io.pensieve.server;

import io.pensieve.log.Durability;
import io.pensieve.server.http.Limits;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the settings come to.
 *
 * @param address where to listen
 * @param capacity how many entries to keep
 * @param dataDir where to keep the log
 * @param durability what a write survives; empty for no log
 * @param nodeId the id of this node
 * @param peers the other nodes
 * @param limits how large keys and values may be
 */
record Configuration(
    InetSocketAddress address,
    long capacity,
    Path dataDir,
    Optional<Durability> durability,
    long nodeId,
    List<URI> peers,
    Limits limits) {
  private static final int PORT_MAX = 65_535;
  private static final int CAPACITY_MAX = 1 << 30;
  private static final int KEY_BYTES_MAX = 64 << 10;
  private static final int VALUE_BYTES_MAX = 64 << 20;

  /**
   * Reads the settings.
   *
   * @throws StartFailure for one that is not what it should be, naming it and its source
   */
  static Configuration of(Map<Setting, Given> given) {
    return new Configuration(
        new InetSocketAddress(bind(given), port(given)),
        get(given, Setting.CAPACITY).number(1, CAPACITY_MAX),
        dataDir(get(given, Setting.DATA_DIR)),
        durability(get(given, Setting.DURABILITY)),
        get(given, Setting.NODE_ID).number(0, Long.MAX_VALUE),
        get(given, Setting.PEERS).nodeUrls(),
        new Limits(
            (int) get(given, Setting.KEY_BYTES_MAX).number(1, KEY_BYTES_MAX),
            (int) get(given, Setting.VALUE_BYTES_MAX).number(1, VALUE_BYTES_MAX)));
  }

  /** The port alone, for those who only want to call the server. */
  static int port(Map<Setting, Given> given) {
    return (int) get(given, Setting.PORT).number(0, PORT_MAX);
  }

  private static InetAddress bind(Map<Setting, Given> given) {
    Given bind = get(given, Setting.BIND);
    try {
      return InetAddress.getByName(bind.text());
    } catch (UnknownHostException unknown) {
      throw bind.refused("an address or a name of this machine,");
    }
  }

  private static Path dataDir(Given given) {
    try {
      return Path.of(given.text());
    } catch (InvalidPathException invalid) {
      throw given.refused("a folder,");
    }
  }

  private static Optional<Durability> durability(Given given) {
    return switch (given.text()) {
      case "process-death" -> Optional.of(Durability.PROCESS_DEATH);
      case "power-cut" -> Optional.of(Durability.POWER_CUT);
      case "none" -> Optional.empty();
      default -> throw given.refused("process-death, power-cut or none,");
    };
  }

  private static Given get(Map<Setting, Given> given, Setting setting) {
    Given found = given.get(setting);
    if (found == null) {
      throw new IllegalArgumentException("not resolved: " + setting);
    }
    return found;
  }
}
