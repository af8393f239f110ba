package io.pensieve.server;

import io.pensieve.server.http.protocol.DurationFormat;
import io.pensieve.server.http.value.HeapShares;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The value of a setting as text, and its source.
 *
 * <p>Picocli reads the flags; this class does the rest. Picocli's {@code IDefaultValueProvider}
 * (4.7.7) was tried for the environment and the file. It saves no code, since it does not know a
 * value's source. It is asked for {@code --help}, too, so a broken file would refuse that. What it
 * throws is reported with all arguments, as the fault of one of them. Its own types would check
 * flags only, and say "not an int" where a setting has bounds.
 *
 * @param text the value
 * @param source the flag, the environment variable, the file with the name there, or {@code
 *     default}
 */
record SettingValue(String text, String source) {
  /** The source of a default. */
  static final String BY_DEFAULT = "default";

  private static final Pattern HOST_NAME = Pattern.compile("[a-z0-9._-]+|\\[[0-9a-f:.]+]");

  /**
   * Resolves every setting: from the flag, or else the first of its names in the environment, or
   * else the file that these name, or else the default. An empty environment variable counts as
   * unset.
   *
   * @throws StartupException for an empty flag or an empty line of the file: it would hide the
   *     value of a lower source, and most come from an unset variable
   */
  static Map<Setting, SettingValue> resolve(
      Map<Setting, String> flags, Map<String, String> environment) {
    SettingValue config = resolve(Setting.CONFIG, flags, environment, Map.of(), "");
    Map<Setting, String> file = config.file().map(ConfigurationFile::read).orElse(Map.of());
    Map<Setting, SettingValue> given = new EnumMap<>(Setting.class);
    for (Setting setting : Setting.values()) {
      given.put(setting, resolve(setting, flags, environment, file, config.text()));
    }
    return given;
  }

  private static SettingValue resolve(
      Setting setting,
      Map<Setting, String> flags,
      Map<String, String> environment,
      Map<Setting, String> file,
      String fileName) {
    String flag = flags.get(setting);
    if (flag != null) {
      return new SettingValue(flag, setting.flag()).requireGiven(setting);
    }
    for (String name : setting.environmentNames()) {
      String text = environment.get(name);
      // Compose files pass unset variables as empty strings.
      if (text != null && !text.isEmpty() && !EnvironmentNames.isOfService(name, text)) {
        return new SettingValue(text, "environment " + name);
      }
    }
    String filed = file.get(setting);
    return filed == null
        ? byDefault(setting)
        : new SettingValue(filed, "file " + fileName + ", " + setting.title())
            .requireGiven(setting);
  }

  /** Returns the default value of a setting. */
  static SettingValue byDefault(Setting setting) {
    return new SettingValue(setting.defaultText(), defaultSource(setting));
  }

  private SettingValue requireGiven(Setting setting) {
    if (text.isBlank()) {
      throw refused("a " + setting.label() + ", or to be left out,");
    }
    return this;
  }

  private static String defaultSource(Setting setting) {
    return setting.isShareOfHeap()
        ? "default for a heap of " + HeapShares.ofProcess().heapBytes() + " bytes"
        : BY_DEFAULT;
  }

  /** Returns a whole number within bounds. A small heap may lower the upper bound. */
  long share(long min, long max, long maxOfHeap) {
    if (maxOfHeap >= max) {
      return number(min, max);
    }
    return number(
        min,
        maxOfHeap,
        "a number from "
            + min
            + " to "
            + maxOfHeap
            + " (for a heap of "
            + HeapShares.ofProcess().heapBytes()
            + " bytes),");
  }

  /** Returns a whole number within bounds. */
  long number(long min, long max) {
    return number(min, max, "a number from " + min + " to " + max + ",");
  }

  private long number(long min, long max, String expected) {
    try {
      long number = Long.parseLong(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException refusedBelow) {
      // The message is the same for a text that is not a number and for a number out of bounds.
    }
    throw refused(expected);
  }

  boolean isGiven() {
    return !text.isEmpty();
  }

  /** Returns a duration in the {@link DurationFormat}, within bounds. */
  Duration duration(Duration min, Duration max) {
    return DurationFormat.parse(text)
        .filter(given -> given.compareTo(min) >= 0 && given.compareTo(max) <= 0)
        .orElseThrow(() -> refused(expected(min, max)));
  }

  private static String expected(Duration min, Duration max) {
    return DurationFormat.EXPECTED + ", from " + described(min) + " to " + described(max) + ",";
  }

  private static String described(Duration time) {
    return time.toMillis() % 1000 == 0 ? time.toSeconds() + "s" : time.toMillis() + "ms";
  }

  /** Returns a boolean. */
  boolean yes() {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw refused("true or false,");
    };
  }

  /** Returns a file, if one is given. */
  Optional<Path> file() {
    return isGiven() ? Optional.of(path("a file,")) : Optional.empty();
  }

  /** Returns a folder. */
  Path folder() {
    return path("a folder,");
  }

  private Path path(String expected) {
    try {
      return Path.of(text);
    } catch (InvalidPathException invalid) {
      throw refused(expected);
    }
  }

  /** Returns the node URLs of a comma-separated list, without duplicates. */
  List<URI> nodeUrls() {
    return Arrays.stream(text.split(","))
        .map(String::strip)
        .filter(url -> !url.isEmpty())
        .map(this::nodeUrl)
        .distinct()
        .toList();
  }

  /** Returns the host names of a comma-separated list, in lower case. */
  Set<String> hostNames() {
    Set<String> names = new HashSet<>();
    for (String name : text.split(",", -1)) {
      String host = name.strip().toLowerCase(Locale.ROOT);
      if (!host.isEmpty() && !HOST_NAME.matcher(host).matches()) {
        throw refused("names of hosts without ports, like pensieve.example,");
      }
      if (!host.isEmpty()) {
        names.add(host);
      }
    }
    return names;
  }

  private URI nodeUrl(String text) {
    try {
      URI url = new URI(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
      boolean web = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
      boolean bare =
          "".equals(url.getPath()) && url.getQuery() == null && url.getFragment() == null;
      if (web && url.getHost() != null && url.getUserInfo() == null && bare) {
        return url;
      }
    } catch (URISyntaxException refusedBelow) {
      // The message is the same for a text that is not a URL and for a URL of another form.
    }
    throw refused("URLs like http://host:7878 or https://host:7878, without a path,");
  }

  /**
   * Returns the exception for an invalid text. It quotes the text, so never call it for a secret.
   */
  StartupException refused(String expected) {
    return new StartupException(
        source + ": expected " + expected + " found \"" + text + "\"", null);
  }
}
