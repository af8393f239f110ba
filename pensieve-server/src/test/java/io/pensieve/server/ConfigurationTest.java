package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Durability;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigurationTest {

  @Test
  void defaults() {
    Configuration configuration = configured(Map.of(), Map.of());
    assertEquals("127.0.0.1", configuration.address().getAddress().getHostAddress());
    assertEquals(7878, configuration.address().getPort());
    assertEquals(1000, configuration.capacity());
    assertEquals(Path.of("./pensieve-data"), configuration.dataDir());
    assertEquals(Optional.of(Durability.PROCESS_DEATH), configuration.durability());
    assertEquals(1, configuration.nodeId());
    assertEquals(List.of(), configuration.peers());
    assertEquals(1024, configuration.limits().keyBytesMax());
    assertEquals(16 << 20, configuration.limits().valueBytesMax());
  }

  @Test
  void aFlagComesBeforeTheEnvironment() {
    Map<String, String> environment = Map.of("PENSIEVE_PORT", "2", "PORT", "3");
    assertEquals(new Given("1", "--port"), port(Map.of(Setting.PORT, "1"), environment));
  }

  @Test
  void ourNameComesBeforeTheSeeds() {
    assertEquals(
        new Given("2", "environment PENSIEVE_PORT"),
        port(Map.of(), Map.of("PENSIEVE_PORT", "2", "PORT", "3")));
  }

  @Test
  void theSeedsNameComesBeforeTheDefault() {
    assertEquals(new Given("3", "environment PORT"), port(Map.of(), Map.of("PORT", "3")));
  }

  @Test
  void anEmptyVariableIsAnUnsetOne() {
    assertEquals(
        new Given("3", "environment PORT"),
        port(Map.of(), Map.of("PENSIEVE_PORT", "", "PORT", "3")));
  }

  @ParameterizedTest
  @CsvSource({"NODE_ID, 5", "PENSIEVE_NODE_ID, 5"})
  void theEnvironmentNamesTheNode(String name, String id) {
    assertEquals(5, configured(Map.of(), Map.of(name, id)).nodeId());
  }

  @Test
  void everySettingHasAFlagAndAName() {
    assertEquals("--data-dir", Setting.DATA_DIR.flag());
    assertEquals(List.of("PENSIEVE_DATA_DIR"), Setting.DATA_DIR.environmentNames());
    assertEquals(List.of("PENSIEVE_PEERS", "PEERS"), Setting.PEERS.environmentNames());
  }

  @Test
  void peersAreUrlsEachOnce() {
    String peers = "http://a:1, http://b:2/,,http://a:1/,http://[::1]:3";
    assertEquals(
        List.of(URI.create("http://a:1"), URI.create("http://b:2"), URI.create("http://[::1]:3")),
        configured(Map.of(Setting.PEERS, peers), Map.of()).peers());
  }

  @ParameterizedTest
  @CsvSource({
    "PORT, x",
    "PORT, -1",
    "PORT, 65536",
    "PORT, ''",
    "PORT, 99999999999999999999",
    "CAPACITY, 0",
    "CAPACITY, 1.5",
    "DURABILITY, always",
    "DURABILITY, POWER-CUT",
    "NODE_ID, -1",
    "BIND, 'no such host'",
    "DATA_DIR, 'a\0b'",
    "KEY_BYTES_MAX, 0",
    "VALUE_BYTES_MAX, 99999999999"
  })
  void badValuesAreRefusedByNameAndSource(Setting setting, String text) {
    StartFailure refused =
        assertThrows(StartFailure.class, () -> configured(Map.of(setting, text), Map.of()));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith(setting.flag() + ": expected "), message);
    assertTrue(message.endsWith("found \"" + text + "\""), message);
    assertEquals(1, message.lines().count());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "node2:8002",
        "ftp://a",
        "https://a",
        "http://",
        "http://a/path",
        "http://a?x",
        "http://a#x",
        "http://u@a",
        "http://a b",
        "http://a,x"
      })
  void badPeersAreRefused(String peers) {
    StartFailure refused =
        assertThrows(
            StartFailure.class, () -> configured(Map.of(), Map.of("PENSIEVE_PEERS", peers)));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith("environment PENSIEVE_PEERS: expected "), message);
  }

  private static Configuration configured(
      Map<Setting, String> flags, Map<String, String> environment) {
    return Configuration.of(Given.resolve(flags, environment));
  }

  private static Given port(Map<Setting, String> flags, Map<String, String> environment) {
    Given given = Given.resolve(flags, environment).get(Setting.PORT);
    if (given == null) {
      throw new AssertionError("PORT is not resolved");
    }
    return given;
  }
}
