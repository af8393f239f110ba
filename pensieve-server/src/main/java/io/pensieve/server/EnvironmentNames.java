package io.pensieve.server;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Decides which environment variables are settings, which are mistyped settings, and which are
 * foreign. A mistyped setting must cause an error: without the tokens that it should contain, the
 * server would be open to anyone.
 */
final class EnvironmentNames {
  private static final String PREFIX = "PENSIEVE_";

  /*
   * Kubernetes describes every service to every container, in variables that begin with the
   * service's name. Those of a service called pensieve look like settings, and one has the exact
   * name of a setting:
   *
   *   PENSIEVE_SERVICE_HOST=10.43.0.1    PENSIEVE_PORT=tcp://10.43.0.1:7878
   *   PENSIEVE_SERVICE_PORT=7878         PENSIEVE_PORT_7878_TCP=tcp://10.43.0.1:7878
   *   PENSIEVE_SERVICE_PORT_HTTP=7878    PENSIEVE_PORT_7878_TCP_PROTO=tcp (and _PORT, _ADDR)
   *
   * Those of a service called pensieve-data begin with PENSIEVE_DATA_.
   */
  private static final Pattern SERVICE_NAME =
      Pattern.compile(
          "PENSIEVE_(\\w+_)?(SERVICE_HOST|SERVICE_PORT(_\\w+)?|PORT_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");
  private static final Pattern SERVICE_URL =
      Pattern.compile("(?:tcp|udp|sctp)://[0-9A-Za-z.:\\[\\]-]+:\\d+");

  private static final Set<String> KNOWN =
      Arrays.stream(Setting.values())
          .flatMap(setting -> setting.environmentNames().stream())
          .collect(Collectors.toUnmodifiableSet());

  private EnvironmentNames() {}

  /**
   * Returns whether Kubernetes has set this variable, for a service whose name begins like ours.
   */
  static boolean isOfService(String name, String value) {
    return SERVICE_NAME.matcher(name).matches()
        || (name.endsWith("_PORT") && SERVICE_URL.matcher(value).matches());
  }

  /**
   * Returns the variables that begin with our prefix but are not settings, in order.
   *
   * @throws StartupException if one of them resembles a setting; the message does not quote its
   *     value
   */
  static List<String> requireNoneMistyped(Map<String, String> environment) {
    Set<String> strange = new TreeSet<>();
    new TreeMap<>(environment)
        .forEach(
            (name, value) -> {
              boolean claimsToBeOurs = name.toUpperCase(Locale.ROOT).startsWith(PREFIX);
              // Compose files pass unset variables as empty strings.
              if (claimsToBeOurs && !value.isEmpty() && !KNOWN.contains(name)) {
                if (!isOfService(name, value)) {
                  requireNotMistyped(name);
                  strange.add(name);
                }
              }
            });
    return List.copyOf(strange);
  }

  private static void requireNotMistyped(String name) {
    nearest(name)
        .ifPresent(
            meant -> {
              throw new StartupException(
                  "environment " + name + ": there is no such setting; was " + meant + " meant?",
                  null);
            });
  }

  /** Returns the setting that is most similar to this name, if it is similar enough. */
  private static Optional<String> nearest(String name) {
    String typed = bare(name);
    return Arrays.stream(Setting.values())
        .map(setting -> setting.environmentNames().get(0))
        .filter(ours -> isNear(typed, bare(ours)))
        .min(
            Comparator.comparingInt((String ours) -> distance(typed, bare(ours)))
                .thenComparing(ours -> ours));
  }

  private static String bare(String name) {
    return name.substring(PREFIX.length()).toUpperCase(Locale.ROOT);
  }

  private static boolean isNear(String typed, String ours) {
    String one = typed.replace("_", "");
    String other = ours.replace("_", "");
    int slips = other.length() < 6 ? 1 : 2;
    return distance(one, other) <= slips
        || sameWords(typed, ours)
        || goesOn(typed, ours)
        || goesOn(ours, typed)
        || (isAboutSecrets(typed) && isAboutSecrets(ours));
  }

  // VALUE_MAX_BYTES for VALUE_BYTES_MAX.
  private static boolean sameWords(String typed, String ours) {
    return new TreeSet<>(words(typed)).equals(new TreeSet<>(words(ours)));
  }

  private static List<String> words(String name) {
    return Arrays.stream(name.split("_")).map(word -> word.replaceFirst("S$", "")).toList();
  }

  // TOKENS_PATH for TOKENS, TLS_CERT for TLS_CERTIFICATE. The shorter name has at least 4 letters.
  private static boolean goesOn(String name, String beginning) {
    return beginning.length() >= 4 && name.startsWith(beginning);
  }

  // Every name with a token or TLS in it is meant to protect something.
  private static boolean isAboutSecrets(String name) {
    return words(name).contains("TOKEN") || words(name).contains("TL");
  }

  /** Returns the edit distance: insertions, deletions, replacements, and swaps of neighbours. */
  static int distance(String one, String other) {
    int[][] costs = new int[one.length() + 1][other.length() + 1];
    for (int i = 0; i <= one.length(); i++) {
      for (int j = 0; j <= other.length(); j++) {
        costs[i][j] = Math.min(i, j) == 0 ? Math.max(i, j) : cheapest(costs, one, i, other, j);
      }
    }
    return costs[one.length()][other.length()];
  }

  private static int cheapest(int[][] costs, String one, int i, String other, int j) {
    char mine = one.charAt(i - 1);
    char theirs = other.charAt(j - 1);
    int cost = costs[i - 1][j - 1] + (mine == theirs ? 0 : 1);
    cost = Math.min(cost, Math.min(costs[i - 1][j], costs[i][j - 1]) + 1);
    boolean swapped = i > 1 && j > 1 && mine == other.charAt(j - 2) && theirs == one.charAt(i - 2);
    return swapped ? Math.min(cost, costs[i - 2][j - 2] + 1) : cost;
  }
}
