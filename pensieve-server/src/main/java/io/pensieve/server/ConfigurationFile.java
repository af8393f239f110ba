package io.pensieve.server;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A properties file in UTF-8. Its names are those of the flags, without the dashes. */
final class ConfigurationFile {
  /*
   * In a properties file a backslash escapes the next character. In C:\pensieve\new it is meant
   * literally. An escape would drop the backslash or turn the n into a line break, and the server
   * would use another folder. So backslashes are escapes only in a line in which all of them are
   * escapes that a setting may need. In every other line they are literal.
   */
  private static final Pattern ESCAPED =
      Pattern.compile("(?:[^\\\\]|\\\\[\\\\:=#! ]|\\\\u[0-9A-Fa-f]{4})*\\\\?");
  private static final Pattern DRIVE = Pattern.compile(".*[=:\\s][A-Za-z]:\\\\");

  private ConfigurationFile() {}

  /**
   * Reads the file.
   *
   * @throws StartupException if the file cannot be read, or contains an unknown setting
   */
  static Map<Setting, String> read(Path file) {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(withLiteralBackslashes(Files.readString(file))));
    } catch (NoSuchFileException missing) {
      throw new StartupException(file + ": there is no such file", missing);
    } catch (IOException | IllegalArgumentException unreadable) {
      throw new StartupException(file + ": cannot be read: " + unreadable.getMessage(), unreadable);
    }
    Map<Setting, String> settings = new EnumMap<>(Setting.class);
    for (String name : properties.stringPropertyNames()) {
      settings.put(setting(file, name), properties.getProperty(name, "").strip());
    }
    return settings;
  }

  private static String withLiteralBackslashes(String text) {
    return text.lines()
        .map(
            line ->
                ESCAPED.matcher(line).matches() && !DRIVE.matcher(line).matches()
                    ? line
                    : line.replace("\\", "\\\\"))
        .collect(Collectors.joining("\n"));
  }

  private static Setting setting(Path file, String name) {
    return Arrays.stream(Setting.values())
        .filter(setting -> setting.title().equals(name) && setting.isInFiles())
        .findFirst()
        .orElseThrow(() -> new StartupException(file + ": there is no setting " + name, null));
  }
}
