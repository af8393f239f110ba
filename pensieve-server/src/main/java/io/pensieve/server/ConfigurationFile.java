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

/** A properties file in UTF-8 with settings, named as their flags are, without the dashes. */
final class ConfigurationFile {
  /*
   * In a properties file a backslash escapes what follows. In C:\pensieve\new it is meant as it
   * is: read as an escape it would vanish, or turn the n into a line break, and another folder would
   * be used. So only a line whose backslashes are all escapes that a setting may need is read that
   * way; in any other one backslashes are letters.
   */
  private static final Pattern ESCAPED =
      Pattern.compile("(?:[^\\\\]|\\\\[\\\\:=#! ]|\\\\u[0-9A-Fa-f]{4})*\\\\?");
  private static final Pattern DRIVE = Pattern.compile(".*[=:\\s][A-Za-z]:\\\\");

  private ConfigurationFile() {}

  /**
   * Reads the file.
   *
   * @throws StartupException if it cannot be read, or names what is no setting
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
