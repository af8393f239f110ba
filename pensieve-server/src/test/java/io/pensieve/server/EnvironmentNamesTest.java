package io.pensieve.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which names of the environment are settings, mistyped ones, or somebody else's. */
final class EnvironmentNamesTest {

  @ParameterizedTest
  @CsvSource({
    "PENSIEVE_TOKEN_FILE, PENSIEVE_TOKENS_FILE",
    "PENSIEVE_TOKENSFILE, PENSIEVE_TOKENS_FILE",
    "PENSIEVE_TOKENS_FLIE, PENSIEVE_TOKENS_FILE",
    "pensieve_tokens_file, PENSIEVE_TOKENS_FILE",
    "PENSIEVE_FILE_TOKENS, PENSIEVE_TOKENS",
    "PENSIEVE_TOKEN, PENSIEVE_TOKENS",
    "PENSIEVE_AUTH_TOKEN, PENSIEVE_TOKENS",
    "PENSIEVE_TLS_CERT, PENSIEVE_TLS_KEY",
    "PENSIEVE_DATADIR, PENSIEVE_DATA_DIR",
    "PENSIEVE_PROT, PENSIEVE_PORT",
    "PENSIEVE_CAPACTIY, PENSIEVE_CAPACITY",
    "PENSIEVE_MAX_VALUE_BYTES, PENSIEVE_VALUE_BYTES_MAX",
    "PENSIEVE_DURABILTY, PENSIEVE_DURABILITY"
  })
  void aMistypedSettingEndsTheStartAndIsNotQuoted(String name, String meant) {
    StartupException refused =
        assertThrows(
            StartupException.class,
            () -> EnvironmentNames.requireNoneMistyped(Map.of(name, "the-secret")));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith("environment " + name + ": there is no such setting"), message);
    assertTrue(message.contains(meant), message);
    assertFalse(message.contains("the-secret"), message);
  }

  @Test
  void othersAreNamedInOrder() {
    Map<String, String> environment = new HashMap<>();
    for (String name : new String[] {"HOME", "USER", "VERSION", "JAVA_OPTS", "DEBUG", "URL"}) {
      environment.put("PENSIEVE_" + name, "x");
      environment.put(name, "x");
    }
    assertEquals(
        List.of(
            "PENSIEVE_DEBUG",
            "PENSIEVE_HOME",
            "PENSIEVE_JAVA_OPTS",
            "PENSIEVE_URL",
            "PENSIEVE_USER",
            "PENSIEVE_VERSION"),
        EnvironmentNames.requireNoneMistyped(environment));
  }

  @Test
  void settingsAndUnsetNamesAreNotStrange() {
    Map<String, String> environment = new HashMap<>(Map.of("PENSIEVE_TOKEN_FILE", ""));
    for (Setting setting : Setting.values()) {
      setting.environmentNames().forEach(name -> environment.put(name, "x"));
    }
    assertEquals(List.of(), EnvironmentNames.requireNoneMistyped(environment));
  }

  @ParameterizedTest
  @ValueSource(strings = {"PENSIEVE", "PENSIEVE_DATA", "PENSIEVE_TOKENS", "PENSIEVE_BLUE_2"})
  void servicesOfKubernetesArePassedOver(String service) {
    Map<String, String> environment = new HashMap<>();
    for (String url : new String[] {"tcp://10.43.0.1:7878", "udp://[fd00::1]:53"}) {
      environment.put(service + "_SERVICE_HOST", "10.43.0.1");
      environment.put(service + "_SERVICE_PORT", "7878");
      environment.put(service + "_SERVICE_PORT_HTTP", "7878");
      environment.put(service + "_PORT", url);
      environment.put(service + "_PORT_7878_TCP", url);
      environment.put(service + "_PORT_7878_TCP_PROTO", "tcp");
      environment.put(service + "_PORT_7878_TCP_PORT", "7878");
      environment.put(service + "_PORT_7878_TCP_ADDR", "10.43.0.1");
      assertEquals(List.of(), EnvironmentNames.requireNoneMistyped(environment));
      assertEquals(
          new SettingValue("7878", "default"),
          SettingValue.resolve(Map.of(), environment).get(Setting.PORT));
      environment.put("PORT", "3");
      assertEquals(
          new SettingValue("3", "environment PORT"),
          SettingValue.resolve(Map.of(), environment).get(Setting.PORT));
      environment.remove("PORT");
    }
  }
}
