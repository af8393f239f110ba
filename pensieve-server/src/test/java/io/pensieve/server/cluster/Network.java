package io.pensieve.server.cluster;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A network of so many hosts on this machine, each a network namespace of Linux, of which any two
 * can be cut off from one another, in one direction or both. Only where this test may make one.
 */
@SuppressWarnings("try") // closing may be interrupted, as the test itself
final class Network implements AutoCloseable {
  private static final String NOBODY = "02:00:00:00:00:99"; // what is sent there, nobody gets
  private static final String DEVICE = "eth0";
  private static final int NAMES = 100_000;
  private static final int SUBNETS = 250;

  private final int hosts;
  private final String name;
  private final String subnet;

  private Network(int hosts) throws IOException {
    long pid = ProcessHandle.current().pid();
    this.hosts = hosts;
    this.name = "pn" + pid % NAMES;
    this.subnet = freeSubnet(pid);
  }

  // Another run may have one now, or was killed and has left one behind.
  private static String freeSubnet(long first) throws IOException {
    Set<String> used =
        NetworkInterface.networkInterfaces()
            .flatMap(NetworkInterface::inetAddresses)
            .map(InetAddress::getHostAddress)
            .map(address -> address.substring(0, address.lastIndexOf('.') + 1))
            .collect(Collectors.toSet());
    return LongStream.range(first, first + SUBNETS)
        .mapToObj(number -> "10.213." + number % SUBNETS + ".")
        .filter(subnet -> !used.contains(subnet))
        .findFirst()
        .orElseThrow(() -> new IOException("no subnet is free"));
  }

  /** One with so many hosts, numbered from 1; empty if that cannot be. */
  static Optional<Network> create(int hosts) throws Exception {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return Optional.empty();
    }
    Network network = new Network(hosts);
    if (network.isBuilt()) {
      return Optional.of(network);
    }
    network.close();
    return Optional.empty();
  }

  private boolean isBuilt() throws Exception {
    String bridge = name + "br";
    boolean isBuilt =
        succeeds("ip", "link", "add", bridge, "type", "bridge")
            && succeeds("ip", "addr", "add", address(hosts + 1) + "/24", "dev", bridge)
            && succeeds("ip", "link", "set", bridge, "up");
    for (int host = 1; isBuilt && host <= hosts; host++) {
      String outside = name + "v" + host;
      isBuilt =
          succeeds("ip", "netns", "add", namespace(host))
              && succeeds(
                  "ip link add "
                      + outside
                      + " type veth peer name "
                      + DEVICE
                      + " netns "
                      + namespace(host))
              && succeeds("ip", "link", "set", outside, "master", bridge, "up")
              && succeeds(
                  "ip -n " + namespace(host) + " addr add " + address(host) + "/24 dev " + DEVICE)
              && succeeds("ip", "-n", namespace(host), "link", "set", DEVICE, "up")
              && succeeds("ip", "-n", namespace(host), "link", "set", "lo", "up");
    }
    return isBuilt;
  }

  private static boolean succeeds(String... command) throws Exception {
    List<String> words = new ArrayList<>();
    for (String each : command) {
      words.addAll(List.of(each.split(" ")));
    }
    try {
      Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
      process.getInputStream().transferTo(OutputStream.nullOutputStream());
      return process.waitFor(2, TimeUnit.MINUTES) && process.exitValue() == 0;
    } catch (IOException noSuchProgram) {
      return false;
    }
  }

  private String namespace(int host) {
    return name + "n" + host;
  }

  String address(int host) {
    return subnet + host;
  }

  /** What launches a program on a host. */
  List<String> launcher(int host) {
    return List.of("ip", "netns", "exec", namespace(host));
  }

  /** Loses what a host sends to another one from now on. */
  void cut(int from, int to) throws Exception {
    require(
        "ip -n "
            + namespace(from)
            + " neigh replace "
            + address(to)
            + " lladdr "
            + NOBODY
            + " dev "
            + DEVICE
            + " nud permanent");
  }

  /** Loses what a host and all others send to one another from now on. */
  void isolate(int host) throws Exception {
    for (int other = 1; other <= hosts; other++) {
      if (other != host) {
        cut(host, other);
        cut(other, host);
      }
    }
  }

  /** Loses nothing any more. */
  void heal() throws Exception {
    for (int from = 1; from <= hosts; from++) {
      require("ip -n " + namespace(from) + " neigh flush nud permanent dev " + DEVICE);
    }
  }

  private static void require(String command) throws Exception {
    if (!succeeds(command)) {
      throw new IOException("failed: " + command);
    }
  }

  @Override
  public void close() throws Exception {
    for (int host = 1; host <= hosts; host++) {
      succeeds("ip", "netns", "del", namespace(host));
      succeeds("ip", "link", "del", name + "v" + host);
    }
    succeeds("ip", "link", "del", name + "br");
  }
}
