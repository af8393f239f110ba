package io.pensieve.server;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Properties;

/** A properties file in UTF-8 with settings, named as their flags are, without the dashes. */
final class ConfigurationFile {
  private ConfigurationFile() {}

  /**
   * Reads the file.
   *
   * @throws StartFailure if it cannot be read, or names what is no setting
   */
  static Map<Setting, String> read(Path file) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (NoSuchFileException missing) {
      throw new StartFailure(file + ": there is no such file", missing);
    } catch (IOException | IllegalArgumentException unreadable) {
      throw new StartFailure(file + ": cannot be read: " + unreadable.getMessage(), unreadable);
    }
    Map<Setting, String> settings = new EnumMap<>(Setting.class);
    for (String name : properties.stringPropertyNames()) {
      settings.put(setting(file, name), properties.getProperty(name, "").strip());
    }
    return settings;
  }

  private static Setting setting(Path file, String name) {
    return Arrays.stream(Setting.values())
        .filter(setting -> setting.title().equals(name) && setting.isInFiles())
        .findFirst()
        .orElseThrow(() -> new StartFailure(file + ": there is no setting " + name, null));
  }
}
