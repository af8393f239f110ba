package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings in a file: what comes before them, and what they come before. */
final class ConfigurationFileTest {
  private final Path file;

  ConfigurationFileTest(@TempDir Path folder) {
    this.file = folder.resolve("pensieve.properties");
  }

  @Test
  void theFileComesBeforeTheDefault() throws Exception {
    write("# where\nport = 1\ncapacity: 5  \ndata-dir=/data/höhle\n");
    assertGiven(new SettingValue("1", "file " + file + ", port"), Setting.PORT, Map.of());
    assertGiven(new SettingValue("5", "file " + file + ", capacity"), Setting.CAPACITY, Map.of());
    assertGiven(
        new SettingValue("/data/höhle", "file " + file + ", data-dir"), Setting.DATA_DIR, Map.of());
    assertGiven(new SettingValue("127.0.0.1", "default"), Setting.BIND, Map.of());
  }

  @Test
  void theEnvironmentComesBeforeTheFileAndFlagsBeforeBoth() throws Exception {
    write("port=1");
    Map<String, String> environment = Map.of("PORT", "2");
    assertGiven(new SettingValue("2", "environment PORT"), Setting.PORT, environment);
    Map<Setting, String> flags = Map.of(Setting.CONFIG, "" + file, Setting.PORT, "3");
    assertEquals(
        new SettingValue("3", "--port"),
        SettingValue.resolve(flags, environment).get(Setting.PORT));
  }

  @Test
  void theEnvironmentMayNameTheFile() throws Exception {
    write("port=1");
    Map<String, String> environment = Map.of("PENSIEVE_CONFIG", file.toString());
    assertEquals(
        new SettingValue("1", "file " + file + ", port"),
        SettingValue.resolve(Map.of(), environment).get(Setting.PORT));
  }

  private void assertGiven(
      SettingValue expected, Setting setting, Map<String, String> environment) {
    assertEquals(
        expected,
        SettingValue.resolve(Map.of(Setting.CONFIG, file.toString()), environment).get(setting));
  }

  @ParameterizedTest
  @ValueSource(strings = {"colour", "PORT", "config", "tokens"})
  void aNameThatIsNoSettingIsRefusedWithoutItsValue(String name) throws Exception {
    write(name + "=secret");
    assertRefused(file + ": there is no setting " + name);
  }

  @Test
  void aFileThatCannotBeReadIsRefused() throws Exception {
    assertRefused(file + ": there is no such file");
    Files.write(file, new byte[] {(byte) 0xff, '=', '1'});
    assertRefused(file + ": cannot be read: ");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "C:\\pensieve\\data, C:\\pensieve\\data",
        "C:\\new\\users\\table, C:\\new\\users\\table",
        "C:\\\\pensieve\\\\data, C:\\pensieve\\data",
        "C\\:\\\\data, C:\\data",
        "\\\\server\\share, \\\\server\\share",
        "D:\\, D:\\",
        "C:\\data\\, C:\\data\\",
        "h\\u00f6hle, h\u00f6hle",
        "\\u12, \\u12"
      })
  void aBackslashIsALetterWhereItEscapesNothing(String written, String read) throws Exception {
    for (String separator : new String[] {"=", " = ", ":"}) {
      write("data-dir" + separator + written + "\nport=1\n");
      assertGiven(
          new SettingValue(read, "file " + file + ", data-dir"), Setting.DATA_DIR, Map.of());
      assertGiven(new SettingValue("1", "file " + file + ", port"), Setting.PORT, Map.of());
    }
  }

  @Test
  void aLineMayGoOn() throws Exception {
    write("peers=http://a:1,\\\n  http://b:2\n");
    assertGiven(
        new SettingValue("http://a:1,http://b:2", "file " + file + ", peers"),
        Setting.PEERS,
        Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"tokens-file", "data-dir"})
  void anEmptyLineIsRefused(String name) throws Exception {
    write(name + "=\n");
    assertRefused("file " + file + ", " + name + ": expected ");
  }

  private void assertRefused(String start) {
    StartupException refused =
        assertThrows(
            StartupException.class,
            () -> SettingValue.resolve(Map.of(Setting.CONFIG, file.toString()), Map.of()));
    assertTrue(String.valueOf(refused.getMessage()).startsWith(start), refused.getMessage());
  }

  @Test
  void aBadValueIsRefusedByFileAndName() throws Exception {
    write("capacity=many");
    StartupException refused =
        assertThrows(
            StartupException.class,
            () ->
                Configuration.of(
                    SettingValue.resolve(Map.of(Setting.CONFIG, file.toString()), Map.of())));
    assertTrue(
        String.valueOf(refused.getMessage()).startsWith("file " + file + ", capacity: expected "),
        refused.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "500ms, 500",
    "10s, 10000",
    "5m, 300000",
    "100ms, 100",
    "60m, 3600000",
    "1h, 3600000"
  })
  void timesHaveUnits(String text, long millis) {
    assertEquals(Duration.ofMillis(millis), time(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10",
        "s",
        "-1s",
        "99ms",
        "61m",
        "2h",
        "1d",
        "1.5s",
        "010s",
        "10 s",
        "9999999999s"
      })
  void otherTimesAreRefused(String text) {
    StartupException refused = assertThrows(StartupException.class, () -> time(text));
    assertEquals(
        "--silence-max: expected a duration like 500ms, 30s, 5m, 2h or 7d, from 100ms to 3600s,"
            + (" found \"" + text + "\""),
        refused.getMessage());
  }

  private static Duration time(String text) {
    return Configuration.of(SettingValue.resolve(Map.of(Setting.SILENCE_MAX, text), Map.of()))
        .connections()
        .silenceMax();
  }

  private void write(String lines) throws Exception {
    Files.writeString(file, lines);
  }
}
